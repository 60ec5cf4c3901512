"""The tables; migrations lead to exactly this, and a test compares the two.

Times are whole microseconds since the epoch: exact, in order, and the same in every engine. Keys sort by code point,
which is what SQLite does by itself and PostgreSQL only when it is told to.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

Key = Text().with_variant(Text(collation="C"), "postgresql")
Serial = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column that is called INTEGER."""

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def _artifact_id(*, primary_key: bool = False) -> Column[str]:
    owner = ForeignKey("artifacts.id", ondelete="CASCADE")
    return Column("artifact_id", Key, owner, nullable=False, primary_key=primary_key)


artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Key, primary_key=True),
    Column("type", String(16), nullable=False),
    Column("name", Key, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("owner", Text, nullable=False),
    Column("team", Text),
    Column("url", Text, nullable=False),
    Column("host", String(16), nullable=False),
    Column("space", String(16), nullable=False),
    Column("repo", Text, nullable=False),
    Column("revision", Text),
    Column("path", Text, nullable=False),
    Column("source_key", Key, nullable=False),
    Column("commit_id", Text),
    Column("license", Text),
    Column("size_bytes", BigInteger),
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("folded_name", Text, nullable=False),
    Column("net_score", Float),
    Column("readme", Text),  # last, so that reading the other columns never walks through a long text
    UniqueConstraint("type", "source_key"),
    Index(None, "source_key"),
    Index(None, "name", "id"),
    # Pages, and counts, are read off these alone: a row of the table lies between two READMEs.
    Index(None, "id", "visibility", "owner", "name", "type"),
    Index(None, "type", "id", "visibility", "owner", "name"),
    *(Index(None, "type", order, "id") for order in ("name", "created_at", "net_score", "size_bytes")),
)

indexed = Table(
    "indexed",
    metadata,
    # The number under which the engine's text index knows an artifact; see trigrams.py.
    Column("number", Serial, primary_key=True),
    Column("artifact_id", Key, ForeignKey("artifacts.id", ondelete="CASCADE"), nullable=False, unique=True),
)

unindexed = Table(
    "unindexed",
    metadata,
    # Artifacts that the text index does not know yet, because entering many at a time costs a third.
    _artifact_id(primary_key=True),
)

ratings = Table(
    "ratings",
    metadata,
    _artifact_id(primary_key=True),
    Column("rating", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("evidence", Text, nullable=False),
)

scores = Table(
    "scores",
    metadata,
    _artifact_id(primary_key=True),
    Column("metric", String(64), primary_key=True),
    Column("score", Float, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("seq", Serial, primary_key=True),
    _artifact_id(),
    Column("relation", String(32), nullable=False),
    Column("target_key", Key, nullable=False),
    Column("target_name", Text, nullable=False),
    Column("linked_by", String(32), nullable=False),
    Index(None, "artifact_id"),
    Index(None, "target_key"),
)

files = Table(
    "files",
    metadata,
    _artifact_id(primary_key=True),
    Column("path", Key, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("claimed_sha256", Text),
    Column("claimed_git_sha1", Text),
    Column("digest", Text),
    Column("crc32", BigInteger),
    Column("verified", Boolean),
    Index(None, "digest"),
)

audit = Table(
    "audit",
    metadata,
    Column("sequence", Serial, primary_key=True, autoincrement=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("id", Key, nullable=False, unique=True),
    # No foreign key: the trail of an artifact outlives it. A reset is about no artifact.
    Column("artifact_id", Key),
    Column("artifact_name", Text),
    Column("artifact_type", String(16)),
    Column("user_name", Text, nullable=False),
    Column("user_is_admin", Boolean, nullable=False),
    Column("action", String(16), nullable=False),
    Column("date", BigInteger, nullable=False),
    Index(None, "artifact_id", "date", "id"),
)

audit_head = Table(
    "audit_head",
    metadata,
    # One row: the end of the chain, kept apart from it so that a trail cut short is noticed.
    Column("chain", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", String(16), nullable=False),
    # No foreign key: the job that takes an artifact in is there before it.
    Column("artifact_id", Key, nullable=False),
    Column("artifact_type", String(16), nullable=False),
    Column("owner", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("progress", Text, nullable=False),
    Column("error", Text),
    Column("tries", Integer, nullable=False),
    Column("max_tries", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("worker", Text),
    Column("lease_until", BigInteger),
    Column("not_before", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index(None, "state", "created_at", "id"),
    Index(None, "artifact_id", "id"),
)
