"""Bring a database to this release's schema.

Alembic is imported only when there is something to do: a start of an up-to-date database should not pay for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0006"
"""The newest revision in `migrations/versions`, as a test makes sure."""

MIGRATIONS = Path(__file__).parent / "migrations"


def is_current(connection: Connection) -> bool:
    """Whether the database is at this release's revision."""
    return revision_of(connection) == HEAD


def revision_of(connection: Connection) -> str | None:
    """The revision of a database, None where it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return revision


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate up, inside the caller's transaction.

    Raises:
        RuntimeError: the database is of a newer release.
    """
    from alembic import command  # noqa: PLC0415 - see the module's docstring
    from alembic.util import CommandError  # noqa: PLC0415 - see the module's docstring

    try:
        command.upgrade(config(connection), revision)
    except CommandError as error:
        found = revision_of(connection)
        raise RuntimeError(f"this release cannot migrate a database of revision {found} to {HEAD}: {error}") from error


def downgrade(connection: Connection, revision: str) -> None:
    """Migrate down to `revision`, or to nothing with `base`, inside the caller's transaction."""
    from alembic import command  # noqa: PLC0415 - see the module's docstring

    command.downgrade(config(connection), revision)


def config(connection: Connection) -> "Config":
    """Alembic's settings for this connection; there is no ini file."""
    from alembic.config import Config  # noqa: PLC0415 - see the module's docstring

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings
