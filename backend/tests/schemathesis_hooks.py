"""What schemathesis cannot know: which addresses there is something at; it loads this by SCHEMATHESIS_HOOKS."""

from typing import Any

import schemathesis
from hypothesis import strategies as st

from backend.api.tests import organisation

BY_TYPE = {
    "model": (organisation.TINY, organisation.CHILD, organisation.GRANDCHILD, organisation.BARE),
    "dataset": (organisation.WORDS, organisation.KAGGLE, organisation.TOOLS),
    "code": (organisation.TOOLS, organisation.COPYLEFT),
}
NOWHERE = (organisation.GATED, organisation.NOWHERE, "https://example.org", "ftp://example.org/x", "urn:isbn:0", "x:")

schemathesis.openapi.format("uri", st.sampled_from([url for urls in BY_TYPE.values() for url in urls] + [*NOWHERE]))


@schemathesis.hook
def filter_path_parameters(_context: schemathesis.HookContext, path_parameters: dict[str, Any] | None) -> bool:
    """Leave out what is sent with a bare question mark, which makes it a request to another path."""
    return "?" not in str(path_parameters)


@schemathesis.hook
def map_case(_context: schemathesis.HookContext, case: schemathesis.Case) -> schemathesis.Case:
    """Make most registrations that are well formed ones that succeed, so that something can follow from them."""
    kind, body = (case.path_parameters or {}).get("artifact_type"), case.body
    well_formed = case.meta is not None and case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE
    if case.operation.label == "POST /artifact/{artifact_type}" and well_formed and isinstance(body, dict):
        urls = BY_TYPE[str(kind)]
        if body["url"] not in NOWHERE:
            body["url"] = urls[len(body["url"]) % len(urls)]
            body.pop("dataset_url", None)
            body.pop("code_url", None)
    return case
