"""What follows what, as OpenAPI links: from an artifact just registered to everything that can be asked of it."""

from typing import Any

Links = dict[str, dict[str, Any]]

_OF_ANY_TYPE = ("ArtifactRetrieve", "ArtifactDelete", "ArtifactAuditGet", "Cost", "ListFiles", "Download")
_OF_MODELS = ("ModelArtifactRate", "ExplainRating", "ArtifactLineageGet", "ArtifactLicenseCheck")


def _links(artifact: str) -> Links:
    """Links to what takes an artifact's id, where `artifact` is the expression for its metadata."""
    named = {"artifact_type": f"{artifact}/type", "id": f"{artifact}/id"}
    return {
        **{each: {"operationId": each, "parameters": named} for each in _OF_ANY_TYPE},
        **{each: {"operationId": each, "parameters": {"id": named["id"]}} for each in _OF_MODELS},
        "ArtifactByNameGet": {"operationId": "ArtifactByNameGet", "parameters": {"name": f"{artifact}/name"}},
    }


AFTER_READING: Links = {
    **_links("$response.body#/metadata"),
    "ArtifactUpdate": {
        "operationId": "ArtifactUpdate",
        "parameters": {"artifact_type": "$response.body#/metadata/type", "id": "$response.body#/metadata/id"},
        "requestBody": "$response.body",
    },
}
"""From an answer that holds a whole artifact; what it says can be sent back as an update."""
AFTER_LISTING = _links("$response.body#/0")
"""From a listing, by its first row."""
AFTER_LISTING_FILES: Links = {
    "ReadFile": {
        "operationId": "ReadFile",
        "parameters": {
            "artifact_type": "$request.path.artifact_type",
            "id": "$request.path.id",
            "path": "$response.body#/0/path",
        },
    }
}
AFTER_LISTING_JOBS: Links = {"ReadJob": {"operationId": "ReadJob", "parameters": {"id": "$response.body#/0/id"}}}
