"""An index of names and READMEs by trigrams, with an entry for every artifact that is there.

A revision repeats the code of its day rather than importing what moves on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TRIGRAMS = """
CREATE VIRTUAL TABLE trigrams
USING fts5(text, content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1')
"""


def upgrade() -> None:
    """Create the index and enter what is there."""
    op.create_table(
        "indexed",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("artifact_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name="indexed_artifact_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", name="indexed_pkey"),
        sa.UniqueConstraint("artifact_id", name="indexed_artifact_id_key"),
    )
    op.execute("INSERT INTO indexed (artifact_id) SELECT id FROM artifacts ORDER BY id")
    op.execute(TRIGRAMS)
    _enter_all(op.get_bind())


def downgrade() -> None:
    """Drop the index."""
    op.execute("DROP TABLE trigrams")
    op.drop_table("indexed")


def _enter_all(connection: sa.Connection) -> None:
    every = "SELECT number, name, readme FROM indexed JOIN artifacts ON artifacts.id = artifact_id"
    enter = sa.text("INSERT INTO trigrams (rowid, text) VALUES (:number, :words)")
    for number, name, readme in connection.execute(sa.text(every)):
        folded = f"{name}\n{readme or ''}".encode().lower().replace(b"\0", b" ").split()
        words = b" ".join(dict.fromkeys(folded)).decode()
        connection.execute(enter, {"number": number, "words": words})
