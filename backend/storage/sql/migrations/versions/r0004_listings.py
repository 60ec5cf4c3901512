"""What listings are filtered and ordered by: folded names, and scores out of the ratings.

A revision repeats the code of its day rather than importing what moves on.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

ORDERS = ("name", "created_at", "net_score", "size_bytes")


def upgrade() -> None:
    """Add columns, the scores, and an index for each order."""
    op.create_table(
        "scores",
        sa.Column("artifact_id", KEY, nullable=False),
        sa.Column("metric", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name="scores_artifact_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("artifact_id", "metric", name="scores_pkey"),
    )
    # Rebuilt rather than extended, because the README has to stay the last column.
    with op.batch_alter_table("artifacts", recreate="always") as table:
        folded = sa.Column("folded_name", sa.Text(), nullable=False, server_default="")
        table.add_column(folded, insert_before="readme")
        table.add_column(sa.Column("net_score", sa.Float()), insert_before="readme")
    with op.batch_alter_table("artifacts") as table:
        table.alter_column("folded_name", server_default=None)
    for order in ORDERS:
        op.create_index(f"artifacts_type_{order}_id", "artifacts", ["type", order, "id"])
    _fold_names(op.get_bind())
    _take_scores(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    for order in ORDERS:
        op.drop_index(f"artifacts_type_{order}_id", "artifacts")
    op.drop_column("artifacts", "folded_name")
    op.drop_column("artifacts", "net_score")
    op.drop_table("scores")


def _fold_names(connection: sa.Connection) -> None:
    fold = sa.text("UPDATE artifacts SET folded_name = :folded WHERE id = :id")
    for artifact_id, name in connection.execute(sa.text("SELECT id, name FROM artifacts")).all():
        connection.execute(fold, {"id": artifact_id, "folded": name.casefold()})


def _take_scores(connection: sa.Connection) -> None:
    put = sa.text("INSERT INTO scores (artifact_id, metric, score) VALUES (:id, :metric, :score)")
    note = sa.text("UPDATE artifacts SET net_score = :net WHERE id = :id")
    for artifact_id, text in connection.execute(sa.text("SELECT artifact_id, rating FROM ratings")):
        rating = json.loads(text)
        scores = {name: measured["result"]["score"] for name, measured in rating["metrics"].items()}
        for metric, score in ({"net_score": rating["net_score"]} | scores).items():
            connection.execute(put, {"id": artifact_id, "metric": metric, "score": score})
        connection.execute(note, {"id": artifact_id, "net": rating["net_score"]})
