import base64
import io
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import httpx2
import pytest

from demo.hub import DemoHub

REPOSITORY = "/gh/repos/wrenfield/birdnote"


def _packed_files(packed: bytes) -> dict[str, bytes]:
    """The files of a tarball without the folder that they lie in."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return {
            member.name.split("/", 1)[1]: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive.getmembers()
        }


def _git(folder: Path, *words: str) -> str:
    command = [shutil.which("git") or "git", "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603  our own words


def test_a_repository_is_described(client: httpx2.Client) -> None:
    record = client.get(REPOSITORY).json()

    assert record["owner"] == {"login": "wrenfield", "type": "Organization"}
    assert record["license"]["spdx_id"] == "Apache-2.0"
    assert (record["default_branch"], record["language"], record["archived"]) == ("main", "Python", False)
    assert record["pushed_at"] == "2026-09-29T10:00:00Z"


def test_the_ids_of_trees_and_files_are_those_of_git(client: httpx2.Client, tmp_path: Path) -> None:
    for path, data in _packed_files(client.get(f"{REPOSITORY}/tarball/main").content).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "-c", "core.autocrlf=false", "add", "-A", "-f")
    root = _git(tmp_path, "write-tree")

    assert client.get(f"{REPOSITORY}/git/trees/main?recursive=1").json()["sha"] == root


@pytest.mark.parametrize("name", ["wrenfield/birdnote", "tideglass/instruments"])
def test_the_archives_hold_what_the_tree_lists(client: httpx2.Client, name: str) -> None:
    tree = client.get(f"/gh/repos/{name}/git/trees/HEAD?recursive=1").json()["tree"]
    listed = {entry["path"]: entry["size"] for entry in tree if entry["type"] == "blob"}

    packed = _packed_files(client.get(f"/gh/repos/{name}/tarball").content)
    with zipfile.ZipFile(io.BytesIO(client.get(f"/gh/repos/{name}/zipball").content)) as archive:
        zipped = {info.filename.split("/", 1)[1]: info.file_size for info in archive.infolist()}

    assert {path: len(data) for path, data in packed.items()} == listed == zipped


def test_a_tree_can_be_walked_folder_by_folder(client: httpx2.Client) -> None:
    top = client.get(f"{REPOSITORY}/git/trees/main").json()["tree"]
    src = next(entry for entry in top if entry["path"] == "src")

    below = client.get(f"{REPOSITORY}/git/trees/{src['sha']}").json()["tree"]

    assert [entry["path"] for entry in below] == ["birdnote"]
    assert client.get(f"{REPOSITORY}/git/trees/{'0' * 40}").status_code == 404


def test_a_blob_is_the_file_of_its_id(client: httpx2.Client) -> None:
    tree = client.get(f"{REPOSITORY}/git/trees/main").json()["tree"]
    readme = next(entry for entry in tree if entry["path"] == "README.md")

    blob = client.get(f"{REPOSITORY}/git/blobs/{readme['sha']}").json()

    assert base64.b64decode(blob["content"]).startswith(b"# Birdnote")


def test_commits_carry_their_lines_and_the_pull_request_they_came_through(client: httpx2.Client) -> None:
    newest = client.get(f"{REPOSITORY}/commits?per_page=1").json()[0]

    detail = client.get(f"{REPOSITORY}/commits/{newest['sha']}").json()
    pulls = client.get(f"{REPOSITORY}/commits/{newest['sha']}/pulls").json()

    assert detail["stats"] == {"additions": 112, "deletions": 13, "total": 125}
    assert [file["filename"] for file in detail["files"]] == ["src/birdnote/clips.py", "tests/test_clips.py"]
    assert [(pull["number"], pull["merge_commit_sha"]) for pull in pulls] == [(118, newest["sha"])]


def test_reviews_belong_to_their_pull_request(client: httpx2.Client) -> None:
    reviews = client.get(f"{REPOSITORY}/pulls/118/reviews").json()

    assert [(review["user"]["login"], review["state"]) for review in reviews] == [
        ("mira-oduya", "APPROVED"),
        ("sunil-rao", "COMMENTED"),
    ]
    assert client.get(f"{REPOSITORY}/pulls/117/reviews").json() == []
    assert client.get(f"{REPOSITORY}/pulls/999/reviews").status_code == 404


def test_a_pull_request_sums_up_its_commits(client: httpx2.Client) -> None:
    pull = client.get(f"{REPOSITORY}/pulls/110").json()

    assert (pull["additions"], pull["deletions"], pull["changed_files"]) == (100, 7, 2)
    assert [commit["author"]["login"] for commit in client.get(f"{REPOSITORY}/pulls/110/commits").json()] == [
        "tobias-lindqvist"
    ]
    assert len(client.get(f"{REPOSITORY}/pulls/110/files").json()) == 2


def test_open_pull_requests_are_none(client: httpx2.Client) -> None:
    assert client.get(f"{REPOSITORY}/pulls").json() == []
    assert len(client.get(f"{REPOSITORY}/pulls?state=closed").json()) == 16


def test_contributors_are_ranked_and_bots_marked(client: httpx2.Client) -> None:
    found = client.get(f"{REPOSITORY}/contributors").json()

    assert (found[0]["login"], found[0]["contributions"]) == ("mira-oduya", 6)
    assert [who["login"] for who in found if who["type"] == "Bot"] == ["dependabot[bot]"]


def test_pages_are_linked_to_the_end(client: httpx2.Client) -> None:
    seen, url = [], f"{REPOSITORY}/commits?per_page=8"
    while url:
        answer = client.get(url)
        seen += [commit["sha"] for commit in answer.json()]
        url = answer.links.get("next", {}).get("url", "")

    assert len(seen) == len(set(seen)) == 19


def test_commits_can_be_narrowed_down(client: httpx2.Client) -> None:
    found = {
        "author": len(client.get(f"{REPOSITORY}/commits?author=pennyw").json()),
        "since": len(client.get(f"{REPOSITORY}/commits?since=2026-08-01T00:00:00Z").json()),
        "path": len(client.get(f"{REPOSITORY}/commits?path=docs").json()),
    }

    assert found == {"author": 1, "since": 3, "path": 2}


def test_an_unknown_commit_is_unprocessable(client: httpx2.Client) -> None:
    assert client.get(f"{REPOSITORY}/commits/{'f' * 40}").status_code == 422


def test_the_readme_comes_raw_or_wrapped(client: httpx2.Client) -> None:
    wrapped = client.get(f"{REPOSITORY}/readme").json()
    raw = client.get(f"{REPOSITORY}/readme", headers={"Accept": "application/vnd.github.raw+json"})

    assert base64.b64decode(wrapped["content"]) == raw.content


def test_folders_and_files_have_contents(client: httpx2.Client) -> None:
    listed = client.get("/gh/repos/tideglass/instruments/contents/plankton").json()

    assert {(entry["name"], entry["type"]) for entry in listed} >= {("classify.py", "file"), ("README.md", "file")}
    assert client.get("/gh/repos/tideglass/instruments/contents/plankton/labels.py").json()["encoding"] == "base64"
    assert client.get("/gh/repos/tideglass/instruments/contents/nothing").status_code == 404


def test_licence_and_languages_are_told(client: httpx2.Client) -> None:
    assert client.get(f"{REPOSITORY}/license").json()["license"]["spdx_id"] == "Apache-2.0"
    assert set(client.get(f"{REPOSITORY}/languages").json()) == {"Python"}


def test_a_renamed_repository_leads_to_itself(hub: DemoHub, client: httpx2.Client) -> None:
    moved = httpx2.get(f"{hub.github_url}/repos/kestrel-robotics/gripper-ml/commits?per_page=2")

    assert moved.status_code == 301
    assert len(client.get("/gh/repos/kestrel-robotics/gripper-ml/commits?per_page=2").json()) == 2
    record = client.get("/gh/repos/kestrel-robotics/gripper-ml").json()
    assert (record["full_name"], record["archived"]) == ("kestrel-robotics/gripper", True)


def test_what_the_caller_has_is_not_sent_again(client: httpx2.Client) -> None:
    tag = client.get(f"{REPOSITORY}/commits").headers["etag"]

    again = client.get(f"{REPOSITORY}/commits", headers={"If-None-Match": tag})

    assert (again.status_code, again.content) == (304, b"")
    assert int(again.headers["x-ratelimit-remaining"]) < 5000


def test_nobody_has_heard_of_a_missing_repository(client: httpx2.Client) -> None:
    answer = client.get("/gh/repos/wrenfield/nothing/commits")

    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")
