"""The real client of the hub must not notice the difference."""

import hashlib
from datetime import date
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from demo.content import git_blob, text
from demo.hub import TOKEN, DemoHub
from demo.items import Organisation, model

STAR = "wrenfield/birdnote-small"
WEIGHTS = "model.safetensors"


def test_a_model_is_described_with_its_files(api: HfApi) -> None:
    found = api.model_info(STAR, files_metadata=True)

    files = {file.rfilename: file for file in found.siblings or []}
    assert files[WEIGHTS].size == 18_431_244
    assert files[WEIGHTS].lfs is not None
    assert files["config.json"].lfs is None
    assert found.card_data is not None
    assert found.card_data.license == "apache-2.0"
    assert found.model_index is not None
    assert (found.pipeline_tag, found.library_name) == ("audio-classification", "transformers")
    assert {"dataset:wrenfield/dawn-chorus", "license:apache-2.0", "safetensors"} <= set(found.tags or [])
    assert found.safetensors is not None
    assert found.safetensors.total == 4_607_681


def test_without_asking_for_blobs_there_are_only_names(client: httpx2.Client) -> None:
    record = client.get(f"/api/models/{STAR}").json()

    assert {"rfilename": WEIGHTS} in record["siblings"]


def test_a_dataset_is_described(api: HfApi) -> None:
    found = api.dataset_info("wrenfield/dawn-chorus")

    assert found.card_data is not None
    assert found.card_data["license"] == "cc-by-4.0"
    assert "task_categories:audio-classification" in (found.tags or [])
    assert found.description is not None
    assert found.description.startswith("520 hours")


@pytest.mark.parametrize("file", ["config.json", "samples/robin.wav", WEIGHTS])
def test_a_downloaded_file_has_the_digest_that_was_promised(api: HfApi, tmp_path: Path, file: str) -> None:
    promised = api.get_paths_info(STAR, [file])[0]

    data = Path(api.hf_hub_download(STAR, file, cache_dir=tmp_path)).read_bytes()

    assert promised.size == len(data)
    if promised.lfs:
        assert promised.lfs.sha256 == hashlib.sha256(data).hexdigest()
    else:
        assert promised.blob_id == git_blob(text(data))


def test_a_download_is_of_the_commit_that_main_stands_at(api: HfApi, tmp_path: Path) -> None:
    path = api.hf_hub_download(STAR, "config.json", cache_dir=tmp_path)

    assert api.model_info(STAR).sha in path


def test_history_is_newest_first(api: HfApi) -> None:
    commits = api.list_repo_commits(STAR)

    assert commits[0].authors == ["mira-oduya"]
    assert sorted(commits, key=lambda commit: commit.created_at, reverse=True) == commits
    assert commits[0].commit_id == api.model_info(STAR).sha


def test_the_tree_shows_folders_unless_it_is_asked_for_all(api: HfApi) -> None:
    assert "samples" in [entry.path for entry in api.list_repo_tree(STAR)]
    assert "samples/robin.wav" in [entry.path for entry in api.list_repo_tree(STAR, recursive=True)]
    assert [entry.path for entry in api.list_repo_tree(STAR, "samples")] == ["samples/robin.wav"]


def test_there_is_one_branch(api: HfApi) -> None:
    refs = api.list_repo_refs(STAR)

    assert [(branch.name, branch.target_commit) for branch in refs.branches] == [("main", api.model_info(STAR).sha)]


def test_headers_of_weights_can_be_read(api: HfApi) -> None:
    assert api.get_safetensors_metadata(STAR).parameter_count == {"F32": 4_607_681}


def test_sharded_weights_are_read_through_their_index(api: HfApi) -> None:
    found = api.get_safetensors_metadata("osterlund/fjord-chat-2b")

    assert found.sharded
    assert found.metadata["total_size"] == 2 * found.parameter_count["BF16"] == 4_202_117_856


def test_a_legacy_id_leads_to_the_present_one(api: HfApi, tmp_path: Path) -> None:
    assert api.model_info("birdnote-small").id == STAR
    assert Path(api.hf_hub_download("birdnote-small", "labels.txt", cache_dir=tmp_path)).exists()


def test_a_move_is_a_temporary_redirect_that_keeps_the_query(hub: DemoHub) -> None:
    answer = httpx2.get(f"{hub.url}/api/models/birdnote-small?blobs=true")

    assert (answer.status_code, answer.headers["location"]) == (307, f"/api/models/{STAR}?blobs=true")


def test_files_of_a_gated_model_are_refused(api: HfApi, tmp_path: Path) -> None:
    assert api.model_info("wrenfield/owl-detector").gated == "manual"
    assert Path(api.hf_hub_download("wrenfield/owl-detector", "README.md", cache_dir=tmp_path)).exists()
    with pytest.raises(GatedRepoError):
        api.hf_hub_download("wrenfield/owl-detector", "config.json", cache_dir=tmp_path)


def test_a_token_opens_what_is_gated(hub: DemoHub, tmp_path: Path) -> None:
    api = HfApi(endpoint=hub.url, token=TOKEN)

    assert Path(api.hf_hub_download("wrenfield/owl-detector", "config.json", cache_dir=tmp_path)).exists()


def test_what_is_missing_raises_the_clients_own_errors(api: HfApi, tmp_path: Path) -> None:
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("wrenfield/nothing")
    with pytest.raises(RepositoryNotFoundError):
        api.dataset_info("nothing")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(STAR, revision="no-such-branch")
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(STAR, "nothing.txt", cache_dir=tmp_path)


@pytest.mark.parametrize(("token", "status"), [(None, 401), (TOKEN, 404)], ids=["anonymous", "known"])
def test_only_a_known_caller_learns_that_a_repository_does_not_exist(
    client: httpx2.Client, token: str | None, status: int
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    answer = client.get("/api/models/wrenfield/nothing", headers=headers)

    assert (answer.status_code, answer.headers["x-error-code"]) == (status, "RepoNotFound")


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=0-99999999", 206, slice(0, None)),
        (None, 200, slice(0, None)),
    ],
)
def test_ranges_are_cut_out_of_the_whole(
    client: httpx2.Client, asked: str | None, status: int, expected: slice
) -> None:
    url = f"/{STAR}/resolve/main/samples/robin.wav"
    whole = client.get(url).content

    answer = client.get(url, headers={"Range": asked} if asked else {})

    assert (answer.status_code, answer.content) == (status, whole[expected])


def test_a_range_past_the_end_cannot_be_had(client: httpx2.Client) -> None:
    answer = client.get(f"/{STAR}/resolve/main/labels.txt", headers={"Range": "bytes=9999-"})

    assert answer.status_code == 416


def test_head_tells_the_size_and_sends_nothing(client: httpx2.Client) -> None:
    answer = client.head("/osterlund/fjord-chat-2b/resolve/main/model-00001-of-00004.safetensors", timeout=60)

    assert (answer.headers["content-length"], answer.content) == ("1100000512", b"")


@pytest.mark.parametrize(
    "path", [f"/api/models/{STAR}?blobs=true", f"/{STAR}/resolve/main/labels.txt", f"/{STAR}/resolve/main/{WEIGHTS}"]
)
def test_what_the_caller_has_is_not_sent_again(client: httpx2.Client, path: str) -> None:
    tag = client.get(path).headers["etag"]

    again = client.get(path, headers={"If-None-Match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


def test_raw_gives_the_pointer_of_a_large_file(client: httpx2.Client) -> None:
    assert client.get(f"/{STAR}/raw/main/{WEIGHTS}").text.startswith("version https://git-lfs.github.com/spec/v1")


def test_organisations_and_people_are_told_apart(client: httpx2.Client) -> None:
    assert client.get("/api/organizations/wrenfield/overview").json()["numUsers"] == 5
    assert "mira-oduya" in [member["user"] for member in client.get("/api/organizations/wrenfield/members").json()]
    assert client.get("/api/organizations/hollis-agro/overview").status_code == 404
    assert client.get("/api/users/hollis-agro/overview").json()["fullname"] == "Meg Hollis"


def test_a_long_history_comes_in_pages() -> None:
    commits = [{"on": date(2025, 1, 1), "by": "a", "what": f"step {step}"} for step in range(120)]
    with DemoHub(Organisation.of(model("a/b", commits=commits))) as hub:
        found = HfApi(endpoint=hub.url, token=False).list_repo_commits("a/b")

    assert [commit.title for commit in found] == [f"step {step}" for step in range(120)]


def test_a_card_whose_head_cannot_be_read_is_still_served() -> None:
    with DemoHub(Organisation.of(model("a/b", readme="---\nlicense: [mit\n---\n# b\n"))) as hub:
        assert "cardData" not in httpx2.get(f"{hub.url}/api/models/a/b").json()
        assert "# b" in httpx2.get(f"{hub.url}/a/b/resolve/main/README.md").text
