"""May this model be combined with that project? Decided from both licences, with the reasons."""

from dataclasses import dataclass

from backend.domain.errors import InvalidInput, NotFound
from backend.domain.source import ArtifactType, Host
from backend.domain.user import User
from backend.sources.github import GitHub
from backend.sources.identify import identify
from backend.storage.base import Catalog
from metrics.licenses import Compatibility, compatible, normalise


@dataclass(frozen=True, slots=True)
class LicenseCheck:
    """The answer: both licences as SPDX expressions (None where none is known), and whether they go together."""

    model_license: str | None
    project_license: str | None
    compatibility: Compatibility


class Licensing:
    """Licence checks."""

    def __init__(self, catalog: Catalog, github: GitHub) -> None:
        self._catalog = catalog
        self._github = github

    async def check(self, viewer: User, artifact_id: str, github_url: str) -> LicenseCheck:
        """Check a registered model against a GitHub project, for fine-tuning and for inference or generation.

        Raises:
            NotFound: there is no such model, or no such project.
            InvalidInput: the URL is not that of a GitHub repository.
            UpstreamFailed: GitHub cannot answer.
        """
        project = identify(ArtifactType.CODE, github_url)
        if project.host is not Host.GITHUB:
            raise InvalidInput.field("github_url", "must be that of a GitHub repository")
        model = await self._catalog.get(viewer, ArtifactType.MODEL, artifact_id)
        if model is None:
            raise NotFound(f"there is no model with id {artifact_id}")
        project_license = normalise(await self._github.license(project))  # GitHub says GPL-2.0 for GPL-2.0-only
        return LicenseCheck(model.license, project_license, compatible(model.license, project_license))
