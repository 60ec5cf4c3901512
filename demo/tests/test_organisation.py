"""Every item of the organisation can be served, and every link it states leads where it is meant to."""

import ast
import re
from pathlib import Path

import httpx2
import pytest
import yaml
from huggingface_hub import ModelCard

from demo import seed
from demo.items import CodeRepository, HubRepo
from demo.load import HERE, load

ORGANISATION = load()
HUB_REPOS = [*ORGANISATION.models.values(), *ORGANISATION.datasets.values()]
REPOSITORIES = list(ORGANISATION.repositories.values())
GONE_ON_PURPOSE = {"datasets/tideglass/reef-transects"}
"""Named in a card, and not there: its owners do not pass the pictures on."""
FOREIGN = {"actions", "apple", "astral-sh"}
"""Owners whose things are mentioned in sources and are none of this organisation's."""
LINK = re.compile(r"https://(huggingface\.co|github\.com)/((?:datasets/)?[\w.-]+/[\w-]+(?:\.[\w-]+)*)")
LARGEST_BYTES = 400_000


def _texts(item: HubRepo | CodeRepository) -> str:
    return "\n".join(content.read().decode() for content in item.files.values() if not content.large)


def _named(item: HubRepo) -> set[str]:
    """What the head of a card names on the hub."""
    parents, datasets = item.card.get("base_model", []), item.card.get("datasets", [])
    return {*([parents] if isinstance(parents, str) else parents), *(f"datasets/{name}" for name in datasets)}


def _served(client: httpx2.Client, host: str, path: str) -> bool:
    if host == "github.com":
        return client.get(f"/gh/repos/{path}").is_success
    space = "" if path.startswith("datasets/") else "models/"
    return client.get(f"/api/{space}{path}").is_success


def test_there_is_enough_of_everything() -> None:
    assert len(ORGANISATION.models) >= 12
    assert len(ORGANISATION.datasets) >= 4
    assert len(ORGANISATION.repositories) >= 5


def test_the_data_is_small() -> None:
    assert sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file()) < LARGEST_BYTES


def test_most_weights_are_quick_to_copy() -> None:
    sizes = [sum(content.size_bytes for content in repo.files.values()) for repo in HUB_REPOS]

    assert sum(size for size in sizes if size < 2_000_000_000) < 250_000_000
    assert max(sizes) > 4_000_000_000


@pytest.mark.parametrize("item", HUB_REPOS, ids=lambda item: item.id)
def test_what_a_card_states_is_served_or_gone_on_purpose(client: httpx2.Client, item: HubRepo) -> None:
    stated = {("huggingface.co", name) for name in _named(item)} | set(LINK.findall(_texts(item)))

    dead = {path for host, path in stated if not _served(client, host, path)}

    assert dead <= GONE_ON_PURPOSE


@pytest.mark.parametrize("item", REPOSITORIES, ids=lambda item: item.full_name)
def test_what_a_repository_links_is_served(client: httpx2.Client, item: CodeRepository) -> None:
    stated = {(host, path) for host, path in LINK.findall(_texts(item)) if path.split("/")[0] not in FOREIGN}

    assert {path for host, path in stated if not _served(client, host, path)} == set()


def test_what_is_gone_on_purpose_is_really_gone(client: httpx2.Client) -> None:
    assert [path for path in GONE_ON_PURPOSE if _served(client, "huggingface.co", path)] == []


@pytest.mark.parametrize("item", [repo for repo in HUB_REPOS if repo.card], ids=lambda item: item.id)
def test_a_card_is_read_by_the_hubs_own_library(item: HubRepo) -> None:
    card = ModelCard(item.files["README.md"].read().decode(), ignore_metadata_errors=False)

    assert {key for key in item.card if key != "model-index"} <= set(card.data.to_dict())


@pytest.mark.parametrize("item", REPOSITORIES, ids=lambda item: item.full_name)
def test_python_sources_are_python(item: CodeRepository) -> None:
    sources = [path for path in item.files if path.endswith(".py")]

    for path in sources:
        ast.parse(item.files[path].read(), path)


@pytest.mark.parametrize("item", REPOSITORIES, ids=lambda item: item.full_name)
def test_history_is_in_order_and_reviews_are_of_its_pull_requests(item: CodeRepository) -> None:
    dates = [change.date for change in item.changes]

    assert dates == sorted(dates, reverse=True)
    assert item.created_at.date() <= dates[-1].date()
    assert set(item.reviews) <= {change.pull for change in item.changes}


@pytest.mark.parametrize("item", REPOSITORIES, ids=lambda item: item.full_name)
def test_nobody_reviews_their_own_change(item: CodeRepository) -> None:
    authors = {change.pull: change.author for change in item.changes if change.pull}

    assert [number for number, given in item.reviews.items() if authors[number] in {each.by for each in given}] == []


def test_every_owner_has_an_account() -> None:
    names = [item.id for item in HUB_REPOS] + [item.full_name for item in REPOSITORIES]

    assert {name.split("/")[0].lower() for name in names} <= set(ORGANISATION.accounts)


def test_everything_that_is_seeded_is_served(client: httpx2.Client) -> None:
    links = [(wanted.type, wanted.url.split("/", 3)) for wanted in seed.everything()]
    hub = {url[3] for _, url in links if url[2] == "huggingface.co"}
    code = {"/".join(url[3].split("/")[:2]) for _, url in links if url[2] == "github.com"}

    assert [path for path in hub if not _served(client, "huggingface.co", path)] == []
    assert [path for path in code if not _served(client, "github.com", path)] == []


def test_all_models_and_datasets_are_seeded() -> None:
    now = {(kind, ORGANISATION.moved(kind, name) or name) for kind, name in map(_place, seed.everything())}

    assert {("models", item.id) for item in ORGANISATION.models.values()} <= now
    assert {("datasets", item.id) for item in ORGANISATION.datasets.values()} <= now


def _place(wanted: seed.Wanted) -> tuple[str, str]:
    path = wanted.url.removeprefix(f"{seed.HUB}/")
    return ("datasets", path.removeprefix("datasets/")) if path.startswith("datasets/") else ("models", path)


def test_sharded_weights_are_all_in_their_index() -> None:
    repo = ORGANISATION.models["osterlund/fjord-chat-2b"]
    index = yaml.safe_load(repo.files["model.safetensors.index.json"].read())

    assert set(index["weight_map"].values()) == {path for path in repo.files if path.endswith(".safetensors")}


def test_a_file_that_states_what_nothing_reads_is_named(tmp_path: Path) -> None:
    (tmp_path / "repositories").mkdir()
    (tmp_path / "repositories" / "a__b.yaml").write_text("files: 3\n")

    with pytest.raises(ValueError, match=r"a__b\.yaml"):
        load(tmp_path)


def test_on_and_no_are_words(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a__b.yaml").write_text(
        "commits: [{on: 2025-01-02, by: no, what: 'yes'}]\ngated: false\ndisabled: true\n"
    )
    (tmp_path / "accounts.yaml").write_text("[]")

    read = load(tmp_path).models["a/b"]

    assert (read.commits[0].author, read.gated, read.facts["disabled"]) == ("no", False, True)
