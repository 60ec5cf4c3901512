"""Ids that are unique, unguessable and ordered by the time they were made."""

import uuid_utils


def new_id() -> str:
    """Make a UUIDv7 in its canonical spelling; later calls in one process sort after earlier ones."""
    return str(uuid_utils.uuid7())
