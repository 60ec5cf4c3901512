import pytest

TOLD = ("catalog_contract", "listing_contract", "audit_contract", "jobs_contract", "blob_contract", "metadata_machine")

# Only test modules get assertions that explain themselves, unless pytest is told of others before they are imported.
pytest.register_assert_rewrite(*(f"backend.storage.tests.{name}" for name in TOLD))
