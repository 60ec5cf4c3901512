"""What a viewer may know of, as `Artifact.visible_to` says it, in SQL."""

from sqlalchemy import Boolean, bindparam, or_

from backend.domain.artifact import Visibility
from backend.domain.user import User
from backend.storage.sql.schema import artifacts

VISIBLE = or_(
    artifacts.c.visibility == Visibility.EVERYONE.value,
    artifacts.c.owner == bindparam("viewer"),
    bindparam("is_admin", type_=Boolean),
)
"""The condition on `artifacts`; it takes the parameters of `seen_by`."""


def seen_by(viewer: User) -> dict[str, object]:
    """The parameters that make `VISIBLE` this viewer's."""
    return {"viewer": viewer.name, "is_admin": viewer.is_admin}
