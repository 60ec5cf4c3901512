import pytest

CONTRACTS = ("metadata", "catalog", "listing", "audit", "jobs", "blob")

# Only test modules get assertions that explain themselves, unless pytest is told of others before they are imported.
pytest.register_assert_rewrite(*(f"backend.storage.tests.{name}_contract" for name in CONTRACTS))
