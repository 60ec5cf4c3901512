"""The audit trail as a hash chain, over the entries that are there by their date.

A revision repeats the code of its day rather than importing what moves on.
"""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

FIELDS = ("id", "artifact_id", "artifact_name", "artifact_type", "user_name", "user_is_admin", "action", "date")
BATCH = 1000


def upgrade() -> None:
    """Rebuild the trail with each entry in its place."""
    op.create_table(
        "audit_head",
        sa.Column("chain", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name="audit_head_pkey"),
    )
    op.drop_index("audit_artifact_id_date_id", "audit")
    op.rename_table("audit", "unchained")
    op.create_table(
        "audit",
        sa.Column("sequence", SERIAL, autoincrement=False, nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        *_entry_columns(about_artifacts_only=False),
        sa.PrimaryKeyConstraint("sequence", name="audit_pkey"),
        sa.UniqueConstraint("id", name="audit_id_key"),
    )
    op.create_index("audit_artifact_id_date_id", "audit", ["artifact_id", "date", "id"])
    _chain(op.get_bind())
    op.drop_table("unchained")


def downgrade() -> None:
    """Rebuild the trail without the chain; a reset has no place in it."""
    op.drop_index("audit_artifact_id_date_id", "audit")
    op.rename_table("audit", "chained")
    op.create_table("audit", *_entry_columns(), sa.PrimaryKeyConstraint("id", name="audit_pkey"))
    op.create_index("audit_artifact_id_date_id", "audit", ["artifact_id", "date", "id"])
    names = ", ".join(FIELDS)
    op.execute(f"INSERT INTO audit ({names}) SELECT {names} FROM chained WHERE artifact_id IS NOT NULL")  # noqa: S608 - constants
    op.drop_table("chained")
    op.drop_table("audit_head")


def _entry_columns(*, about_artifacts_only: bool = True) -> list[sa.Column[Any]]:
    return [
        sa.Column("id", KEY, nullable=False),
        sa.Column("artifact_id", KEY, nullable=not about_artifacts_only),
        sa.Column("artifact_name", sa.Text(), nullable=not about_artifacts_only),
        sa.Column("artifact_type", sa.String(length=16), nullable=not about_artifacts_only),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("user_is_admin", sa.Boolean(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=False),
    ]


def _chain(connection: sa.Connection) -> None:
    before = sa.table("unchained", *_entry_columns())
    after = sa.table("audit", sa.column("sequence"), sa.column("previous"), sa.column("digest"), *_entry_columns())
    head, sequence, lot = "0" * 64, 0, list[dict[str, Any]]()
    for row in connection.execute(sa.select(before).order_by(before.c.date, before.c.id)):
        sequence += 1
        content = {"sequence": sequence, "previous": head, **dict(zip(FIELDS, row, strict=True))}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        lot.append({**content, "digest": digest})
        head = digest
        if len(lot) == BATCH:
            connection.execute(sa.insert(after), lot)
            lot = []
    if lot:
        connection.execute(sa.insert(after), lot)
    if sequence:
        written = sa.text("INSERT INTO audit_head (chain, count, digest) VALUES (1, :count, :digest)")
        connection.execute(written, {"count": sequence, "digest": head})
