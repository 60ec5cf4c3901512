import pytest

from backend.domain.artifact import Visibility
from backend.domain.source import ArtifactType, Host, Source
from backend.domain.user import User
from backend.tests.factories import make_artifact


def _hub(repo: str, revision: str | None = None, path: str = "") -> Source:
    return Source(Host.HUGGINGFACE, ArtifactType.MODEL, repo, revision, path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_hub("Acme/Thing"), _hub("acme/thing")),
        (_hub("a/b", "main"), _hub("a/b")),
        (_hub("a/b", "master"), _hub("a/b", "HEAD")),
    ],
    ids=["case", "default branch", "both default branches"],
)
def test_two_spellings_of_one_place_have_one_key(one: Source, other: Source) -> None:
    assert one.key == other.key


@pytest.mark.parametrize(
    "other",
    [
        _hub("a/c"),
        _hub("a/b", "v2"),
        _hub("a/b", path="sub"),
        Source(Host.GITHUB, ArtifactType.MODEL, "a/b"),
        Source(Host.HUGGINGFACE, ArtifactType.DATASET, "a/b"),
        Source(Host.LINK, ArtifactType.MODEL, "a/b"),
    ],
    ids=["repository", "revision", "folder", "host", "name space", "link"],
)
def test_two_places_have_two_keys(other: Source) -> None:
    assert other.key != _hub("a/b").key


def test_links_are_told_apart_by_case() -> None:
    one, other = (Source(Host.LINK, ArtifactType.DATASET, f"https://x.org/{part}") for part in "aA")

    assert one.key != other.key


@pytest.mark.parametrize(
    ("source", "name"),
    [(_hub("a/b"), "b"), (_hub("legacy"), "legacy"), (_hub("a/b", path="x/y"), "y"), (_hub("a/b/"), "b")],
)
def test_the_short_name_is_the_last_meaningful_part(source: Source, name: str) -> None:
    assert source.short_name == name


@pytest.mark.parametrize(
    ("viewer", "sees"),
    [
        (User("owner", is_admin=False), True),
        (User("root", is_admin=True), True),
        (User("other", is_admin=False), False),
    ],
    ids=["owner", "administrator", "anybody else"],
)
def test_what_is_kept_to_its_owner_is_seen_by_owner_and_administrators(viewer: User, sees: bool) -> None:
    artifact = make_artifact(owner="owner", visibility=Visibility.OWNER)

    assert artifact.visible_to(viewer) is sees
    assert make_artifact(owner="owner").visible_to(viewer)
