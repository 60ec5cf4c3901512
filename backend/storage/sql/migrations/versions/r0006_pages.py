"""Indexes that hold everything a page shows.

A revision repeats the code of its day rather than importing what moves on.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

NARROW = ["type", "id", "visibility", "owner"]
OF_A_TYPE = [*NARROW, "name"]
OF_ALL = ["id", "visibility", "owner", "name", "type"]


def upgrade() -> None:
    """Widen the one for a type, and add one for all types."""
    for columns in (OF_ALL, OF_A_TYPE):
        op.create_index(f"artifacts_{'_'.join(columns)}", "artifacts", columns)
    op.drop_index(f"artifacts_{'_'.join(NARROW)}", "artifacts")


def downgrade() -> None:
    """Go back to the narrow one."""
    op.create_index(f"artifacts_{'_'.join(NARROW)}", "artifacts", NARROW)
    for columns in (OF_ALL, OF_A_TYPE):
        op.drop_index(f"artifacts_{'_'.join(columns)}", "artifacts")
