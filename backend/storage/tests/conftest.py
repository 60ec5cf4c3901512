import pytest

CONTRACTS = ("catalog", "parts", "listing", "audit", "jobs", "work", "blob")
OTHERS = ("metadata_machine", "blob_machine", "paging")

# Only test modules get assertions that explain themselves, unless pytest is told of others before they are imported.
pytest.register_assert_rewrite(
    *(f"backend.storage.tests.{name}_contract" for name in CONTRACTS),
    *(f"backend.storage.tests.{name}" for name in OTHERS),
)
