"""The definition of a metadata store: a backend is one when a subclass with a `store` fixture passes all of this."""

from backend.storage.tests.audit_contract import AuditContract, ChainContract, LifeContract
from backend.storage.tests.catalog_contract import ClosingContract, CommitContract, UpdateContract
from backend.storage.tests.jobs_contract import ClaimContract, LeaseContract
from backend.storage.tests.listing_contract import LookupContract, PageContract, VisibilityContract
from backend.storage.tests.order_contract import OrderContract
from backend.storage.tests.parts_contract import DeleteContract, PartsContract
from backend.storage.tests.search_contract import SearchContract
from backend.storage.tests.work_contract import JobListingContract, ResetContract, WorkContract


class MetadataContract(
    CommitContract,
    UpdateContract,
    ClosingContract,
    DeleteContract,
    PartsContract,
    VisibilityContract,
    LookupContract,
    PageContract,
    OrderContract,
    SearchContract,
    AuditContract,
    ChainContract,
    LifeContract,
    ClaimContract,
    LeaseContract,
    WorkContract,
    JobListingContract,
    ResetContract,
):
    """Give me a fixture `store` that yields an empty `MetadataStore` and closes it afterwards."""
