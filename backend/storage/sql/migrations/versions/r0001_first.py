"""Artifacts, ratings, links, files, audit and jobs.

A revision repeats the schema of its day rather than importing `schema.py`, which moves on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = ("artifacts", "ratings", "links", "files", "audit", "jobs")


def upgrade() -> None:
    """Create every table, those that others refer to first."""
    _create_artifacts()
    _create_ratings()
    _create_links()
    _create_files()
    _create_audit()
    _create_jobs()


def downgrade() -> None:
    """Drop every table with what is in it."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("team", sa.Text()),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.String(length=16), nullable=False),
        sa.Column("space", sa.String(length=16), nullable=False),
        sa.Column("repo", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text()),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("source_key", KEY, nullable=False),
        sa.Column("commit_id", sa.Text()),
        sa.Column("license", sa.Text()),
        sa.Column("size_bytes", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("readme", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="artifacts_pkey"),
        sa.UniqueConstraint("type", "source_key", name="artifacts_type_source_key_key"),
    )
    op.create_index("artifacts_name_id", "artifacts", ["name", "id"])
    op.create_index("artifacts_source_key", "artifacts", ["source_key"])
    op.create_index("artifacts_type_id_visibility_owner", "artifacts", ["type", "id", "visibility", "owner"])


def _create_ratings() -> None:
    op.create_table(
        "ratings",
        sa.Column("artifact_id", KEY, nullable=False),
        sa.Column("rating", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name="ratings_artifact_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("artifact_id", name="ratings_pkey"),
    )


def _create_links() -> None:
    op.create_table(
        "links",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("artifact_id", KEY, nullable=False),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("target_key", KEY, nullable=False),
        sa.Column("target_name", sa.Text(), nullable=False),
        sa.Column("linked_by", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name="links_artifact_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq", name="links_pkey"),
    )
    op.create_index("links_artifact_id", "links", ["artifact_id"])
    op.create_index("links_target_key", "links", ["target_key"])


def _create_files() -> None:
    op.create_table(
        "files",
        sa.Column("artifact_id", KEY, nullable=False),
        sa.Column("path", KEY, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("claimed_sha256", sa.Text()),
        sa.Column("claimed_git_sha1", sa.Text()),
        sa.Column("digest", sa.Text()),
        sa.Column("crc32", sa.BigInteger()),
        sa.Column("verified", sa.Boolean()),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name="files_artifact_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("artifact_id", "path", name="files_pkey"),
    )
    op.create_index("files_digest", "files", ["digest"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("artifact_id", KEY, nullable=False),
        sa.Column("artifact_name", sa.Text(), nullable=False),
        sa.Column("artifact_type", sa.String(length=16), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("user_is_admin", sa.Boolean(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="audit_pkey"),
    )
    op.create_index("audit_artifact_id_date_id", "audit", ["artifact_id", "date", "id"])


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("artifact_id", KEY, nullable=False),
        sa.Column("artifact_type", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("max_tries", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="jobs_pkey"),
    )
    op.create_index("jobs_artifact_id_id", "jobs", ["artifact_id", "id"])
    op.create_index("jobs_state_created_at_id", "jobs", ["state", "created_at", "id"])
