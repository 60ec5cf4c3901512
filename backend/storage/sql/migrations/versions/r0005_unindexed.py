"""A list of the artifacts that wait to be entered into the text index, many at a time.

A revision repeats the code of its day rather than importing what moves on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the list."""
    op.create_table(
        "unindexed",
        sa.Column("artifact_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifacts.id"], name="unindexed_artifact_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("artifact_id", name="unindexed_pkey"),
    )


def downgrade() -> None:
    """Enter whatever waits, and drop the list."""
    connection = op.get_bind()
    waiting = "SELECT id, name, readme FROM unindexed JOIN artifacts ON id = artifact_id ORDER BY id"
    number = sa.text("INSERT INTO indexed (artifact_id) VALUES (:id) RETURNING number")
    enter = sa.text("INSERT INTO trigrams (rowid, text) VALUES (:number, :words)")
    for artifact_id, name, readme in connection.execute(sa.text(waiting)).all():
        folded = f"{name}\n{readme or ''}".encode().lower().replace(b"\0", b" ").split()
        words = b" ".join(dict.fromkeys(folded)).decode()
        entered = connection.execute(number, {"id": artifact_id}).scalar_one()
        connection.execute(enter, {"number": entered, "words": words})
    op.drop_table("unindexed")
