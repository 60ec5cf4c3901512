"""The definition of a metadata store: a backend is one when a subclass with a `store` fixture passes all of this."""

from backend.storage.tests.audit_contract import AuditContract, LifeContract
from backend.storage.tests.catalog_contract import (
    ClosingContract,
    CommitContract,
    DeleteContract,
    PartsContract,
    UpdateContract,
)
from backend.storage.tests.jobs_contract import (
    ClaimContract,
    JobListingContract,
    LeaseContract,
    ResetContract,
    WorkContract,
)
from backend.storage.tests.listing_contract import LookupContract, PageContract, ScanContract, VisibilityContract


class MetadataContract(
    CommitContract,
    UpdateContract,
    ClosingContract,
    DeleteContract,
    PartsContract,
    VisibilityContract,
    LookupContract,
    PageContract,
    ScanContract,
    AuditContract,
    LifeContract,
    ClaimContract,
    LeaseContract,
    WorkContract,
    JobListingContract,
    ResetContract,
):
    """Give me a fixture `store` that yields an empty `MetadataStore` and closes it afterwards."""
