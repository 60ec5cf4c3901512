"""Which backend a URL names; each is imported when it is asked for, so that a start pays only for its own."""

from pathlib import Path

from backend.storage.base import BlobStore, MetadataStore

METADATA_URLS = "memory:// or sqlite:///path/to/file.db"
BLOB_URLS = "memory:// or file:///absolute/path/to/folder"


def open_metadata(url: str) -> MetadataStore:
    """Open the metadata store that `url` names, creating and migrating it where that is needed.

    A path is relative to the working directory after three slashes and absolute after four, as SQLAlchemy has it.

    Raises:
        ValueError: no backend answers to this URL.
    """
    match url.partition("://"):
        case ("memory", "://", ""):
            from backend.storage.memory import MemoryStore  # noqa: PLC0415 - only the chosen backend is imported

            return MemoryStore()
        case ("sqlite", "://", path) if path.startswith("/") and len(path) > 1:
            from backend.storage.sql.sqlite import open_sqlite  # noqa: PLC0415 - only the chosen backend is imported

            return open_sqlite(Path(path[1:]))
        case _:
            raise ValueError(f"{url!r} names no metadata store: use {METADATA_URLS}")


def open_blobs(url: str) -> BlobStore:
    """Open the blob store that `url` names, creating it where that is needed.

    A path is absolute, as in every `file:` URL, and taken as it stands, without percent-decoding.

    Raises:
        ValueError: no backend answers to this URL.
    """
    match url.partition("://"):
        case ("memory", "://", ""):
            from backend.storage.memory import MemoryBlobs  # noqa: PLC0415 - only the chosen backend is imported

            return MemoryBlobs()
        case ("file", "://", path) if path.startswith("/") and len(path) > 1:
            from backend.storage.files import FileBlobs  # noqa: PLC0415 - only the chosen backend is imported

            return FileBlobs(Path(path))
        case _:
            raise ValueError(f"{url!r} names no blob store: use {BLOB_URLS}")
