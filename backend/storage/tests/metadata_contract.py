"""The definition of a metadata store: a backend is one when a subclass with a `store` fixture passes all of this."""

from backend.storage.tests.catalog_contract import (
    ClosingContract,
    CommitContract,
    DeleteContract,
    PartsContract,
    UpdateContract,
)


class MetadataContract(CommitContract, UpdateContract, ClosingContract, DeleteContract, PartsContract):
    """Give me a fixture `store` that yields an empty `MetadataStore` and closes it afterwards."""
