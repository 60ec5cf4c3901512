"""Every use case the registry offers, as the routers and the worker reach them."""

from dataclasses import dataclass

from backend.services.accounts import Accounts
from backend.services.audit import Audit
from backend.services.benchmark.service import Benchmark
from backend.services.cost import Costs
from backend.services.directory import Directory
from backend.services.downloads import Downloads
from backend.services.health import Health
from backend.services.ingest import Ingest
from backend.services.jobs import JobBoard
from backend.services.licensing import Licensing
from backend.services.lineage import Lineage
from backend.services.rating import Ratings
from backend.services.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Registry:
    """The services layer as one record; wiring builds it, nothing looks anything up by name."""

    accounts: Accounts
    audit: Audit
    benchmark: Benchmark
    costs: Costs
    directory: Directory
    downloads: Downloads
    health: Health
    ingest: Ingest
    jobs: JobBoard
    licensing: Licensing
    lineage: Lineage
    ratings: Ratings
    upkeep: Upkeep
