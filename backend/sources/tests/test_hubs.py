import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import anyio
import pytest

from backend.domain.artifact import FileEntry
from backend.domain.errors import NotFound, UpstreamFailed, UpstreamRefused
from backend.domain.source import ArtifactType
from backend.sources import github_records
from backend.sources.base import FileSource
from backend.sources.github import GitHub
from backend.sources.github_reviews import sample_reviews
from backend.sources.http import Upstream
from backend.sources.huggingface import HuggingFace
from backend.sources.identify import identify
from backend.sources.tests.scripted import Answer, Asked, Start, Writer, always, reply
from demo.hub import DemoHub
from demo.items import Organisation, dataset, model, repository

MODEL, DATASET, CODE = ArtifactType.MODEL, ArtifactType.DATASET, ArtifactType.CODE
OWL = identify(MODEL, "https://huggingface.co/falcon/owl")
NEST = identify(CODE, "https://github.com/falcon/nest")
ORGANISATION = Organisation.of(
    model(
        "falcon/owl",
        readme="---\nlicense: mit\n---\n# Owl",
        files={"config.json": {"a": 1}, "list.json": [1], "onnx/config.json": {"b": 2}},
        generated_files={"model.safetensors": 300_000, "onnx/model.onnx": 5_000},
        moved_from=["owl"],
    ),
    model("falcon/locked", readme="# Locked", files={"config.json": {}}, gated="auto"),
    dataset(
        "falcon/birds",
        readme="---\nlicense: cc0-1.0\nsize_categories: [n<1K]\ndataset_info:\n  features:\n  - name: wing\n"
        "  splits:\n  - {name: train, num_examples: 12}\n---\n# Birds",
        generated_files={"train.parquet": 2_000},
    ),
    repository(
        "falcon/nest",
        files={"README.md": "# Nest", "src/a.py": "a = 1\n", "src/deep/b.py": "b = 2\n", "other.txt": "o"},
        commits=[
            {"on": date(2025, 1, 4), "by": "dependabot[bot]", "what": "Bump", "lines": {"uv.lock": 5}},
            {"on": date(2025, 1, 3), "by": "ada", "what": "Two", "pull": 4, "lines": {"src/a.py": 7}},
            {"on": date(2025, 1, 2), "by": "ada", "what": "One", "pull": 3, "lines": {"src/a.py": 5, "x.csv": 999}},
        ],
        reviews={4: {"ada": "commented", "bo": "approved"}, 3: {"ada": "commented"}},
        moved_from=["falcon/old-nest"],
    ),
)


@dataclass
class Hubs:
    server: DemoHub
    huggingface: HuggingFace
    github: GitHub


@pytest.fixture(scope="module")
def server() -> Iterator[DemoHub]:
    with DemoHub(ORGANISATION) as running:
        yield running


@pytest.fixture
async def hubs(server: DemoHub) -> AsyncIterator[Hubs]:
    server.clear()
    upstream = Upstream(server.url, server.github_url, attempts=2, backoff_s=0.001, total_timeout_s=5)
    yield Hubs(server, HuggingFace(upstream), GitHub(upstream))
    await upstream.close()


@pytest.fixture
async def scripted_hubs(scripted: Start) -> AsyncIterator["Scripts"]:
    scripts = Scripts(scripted)
    yield scripts
    for upstream in scripts.made:
        await upstream.close()


class Scripts:
    """Both hubs over a server that answers each path with a given JSON."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self.made: list[Upstream] = []

    async def saying(self, answers: dict[str, object]) -> tuple[HuggingFace, GitHub]:
        async def answer(asked: Asked, writer: Writer) -> None:
            path = asked.target.partition("?")[0]
            found = path in answers
            writer.write(reply(200 if found else 404, json.dumps(answers.get(path)).encode()))

        return await self.over(answer)

    async def over(self, answer: Answer) -> tuple[HuggingFace, GitHub]:
        server = await self._start(answer)
        upstream = Upstream(server.url, server.url, attempts=1, total_timeout_s=5)
        self.made.append(upstream)
        return HuggingFace(upstream), GitHub(upstream)


async def read_all(source: FileSource, place: object, commit: str, files: Sequence[FileEntry]) -> dict[str, bytes]:
    found = {}
    async with source.open_files(place, commit, files) as opened:
        async for entry, size_bytes, chunks in opened:
            found[entry.path] = b"".join([chunk async for chunk in chunks])
            assert len(found[entry.path]) == size_bytes
    return found


# -- Hugging Face ------------------------------------------------------------------------------------------------------


async def test_a_model_has_its_files_with_sizes_and_digests(hubs: Hubs) -> None:
    found = await hubs.huggingface.model(OWL)
    by_path = {file.path: file for file in found.files}

    assert by_path["model.safetensors"].size_bytes == 300_000
    assert len(by_path["model.safetensors"].sha256) == 64
    assert (by_path["config.json"].sha256, len(by_path["config.json"].git_sha1)) == (None, 40)


async def test_a_subfolder_of_a_model_has_its_own_files(hubs: Hubs) -> None:
    onnx = identify(MODEL, "https://huggingface.co/falcon/owl/tree/main/onnx")

    assert [file.path for file in (await hubs.huggingface.model(onnx)).files] == ["config.json", "model.onnx"]
    assert await hubs.huggingface.config(onnx) == {"b": 2}
    assert await hubs.huggingface.readme(onnx) == "---\nlicense: mit\n---\n# Owl"


async def test_a_dataset_has_the_figures_of_its_card(hubs: Hubs) -> None:
    record = (await hubs.huggingface.dataset(identify(DATASET, "https://huggingface.co/datasets/falcon/birds"))).record

    assert (record.licenses, record.size_categories) == (("cc0-1.0",), ("n<1K",))
    assert (record.splits, record.features, record.rows) == (("train",), ("wing",), 12)


async def test_a_configuration_that_is_no_object_is_a_failure(hubs: Hubs) -> None:
    with pytest.raises(UpstreamFailed, match="not a JSON object"):
        await hubs.huggingface.config(OWL, "list.json")


async def test_a_gated_file_is_refused_and_a_missing_one_not_found(hubs: Hubs) -> None:
    locked = identify(MODEL, "https://huggingface.co/falcon/locked")

    with pytest.raises(UpstreamRefused):
        await hubs.huggingface.config(locked)
    with pytest.raises(NotFound):
        await hubs.huggingface.config(OWL, "absent.json")
    with pytest.raises(NotFound):
        await hubs.huggingface.model(identify(MODEL, "https://huggingface.co/falcon/absent"))
    with pytest.raises(NotFound):
        await hubs.huggingface.model(identify(MODEL, "https://huggingface.co/falcon/owl/tree/absent"))


async def test_files_are_streamed_as_they_are_announced(hubs: Hubs) -> None:
    found = await hubs.huggingface.model(OWL)
    files = [FileEntry.of(file) for file in found.files]

    held = await read_all(hubs.huggingface, found.source, found.record.sha, files)

    assert set(held) == {file.path for file in files}
    weights = next(file for file in files if file.path == "model.safetensors")
    assert hashlib.sha256(held[weights.path]).hexdigest() == weights.claimed_sha256


async def test_one_file_is_streamed_from_any_byte(hubs: Hubs) -> None:
    found = await hubs.huggingface.model(OWL)
    entry = FileEntry("model.safetensors", 300_000)

    async with hubs.huggingface.open_file(found.source, found.record.sha, entry, 299_990) as chunks:
        assert len(b"".join([chunk async for chunk in chunks])) == 10


async def test_a_download_that_is_cut_goes_on(hubs: Hubs) -> None:
    found = await hubs.huggingface.model(OWL)
    hubs.server.fail("model.safetensors", times=2, cut_at=100_000)
    weights = [FileEntry.of(file) for file in found.files if file.path == "model.safetensors"]

    held = await read_all(hubs.huggingface, found.source, found.record.sha, weights)

    assert hashlib.sha256(held["model.safetensors"]).hexdigest() == weights[0].claimed_sha256


async def test_a_file_that_is_gone_is_named(hubs: Hubs) -> None:
    with pytest.raises(NotFound, match=r"gone\.bin is no longer in falcon/owl"):
        await read_all(hubs.huggingface, OWL, "main", [FileEntry("gone.bin", 1)])


@pytest.mark.parametrize(
    "record",
    [None, [], "x", {}, {"id": 7}, {"id": "a/b", "siblings": 5}, {"id": "a/b", "siblings": [{}]},
     {"id": "a/b", "lastModified": "yesterday"}, {"id": "a/b", "safetensors": {"x": 1}}, {"id": "../../admin"}],
    ids=repr,
)  # fmt: skip
async def test_a_record_that_makes_no_sense_is_a_failure_of_the_hub(scripted_hubs: Scripts, record: object) -> None:
    huggingface, _ = await scripted_hubs.saying({"/api/models/falcon/owl": record})

    with pytest.raises(UpstreamFailed):
        await huggingface.model(OWL)


async def test_odd_values_in_a_record_are_nothing(scripted_hubs: Scripts) -> None:
    record = {
        "id": "falcon/owl", "downloads": -5, "likes": "many", "tags": [None, "ok", 7], "cardData": {"license": 3},
        "siblings": [{"rfilename": "w.bin", "size": 9, "lfs": {"size": 9, "sha256": "nope", "pointerSize": 1}}],
    }  # fmt: skip
    huggingface, _ = await scripted_hubs.saying({"/api/models/falcon/owl": record})

    found = await huggingface.model(OWL)

    assert (found.record.downloads, found.record.likes, found.record.tags) == (0, 0, ("ok",))
    assert found.record.card.licenses == ()
    assert [(file.size_bytes, file.sha256) for file in found.files] == [(9, None)]


async def test_one_who_gives_up_on_a_silent_hub_leaves_at_once(scripted_hubs: Scripts) -> None:
    asked = asyncio.Event()

    async def silent(_: Asked, __: Writer) -> None:
        asked.set()
        await asyncio.sleep(60)

    huggingface, _ = await scripted_hubs.over(silent)
    waiting = asyncio.create_task(huggingface.model(OWL))
    await asked.wait()
    waiting.cancel()

    with anyio.fail_after(1), pytest.raises(asyncio.CancelledError):
        await waiting


async def test_two_hubs_in_one_process_are_kept_apart(scripted_hubs: Scripts) -> None:
    first, _ = await scripted_hubs.saying({"/api/models/falcon/owl": {"id": "first/owl"}})
    second, _ = await scripted_hubs.saying({"/api/models/falcon/owl": {"id": "second/owl"}})

    found = await asyncio.gather(*(hub.model(OWL) for hub in (first, second) * 5))

    assert [one.record.id for one in found] == ["first/owl", "second/owl"] * 5


# -- GitHub ------------------------------------------------------------------------------------------------------------


async def test_a_renamed_repository_says_its_present_name(hubs: Hubs) -> None:
    found = await hubs.github.repository(identify(CODE, "https://github.com/falcon/old-nest"))

    assert found.source.repo == "falcon/nest"


async def test_the_review_sample_leaves_out_bots_and_self_reviews(hubs: Hubs) -> None:
    commits = await hubs.github.commits(NEST)
    sample = await sample_reviews(hubs.github, NEST, commits)

    assert [(change.additions, change.pull, change.reviewers) for change in sample.changes] == [
        (7, 4, ("bo",)),
        (5, 3, ()),
    ]
    assert (sample.asked, sample.failure) == (2, None)


async def test_a_sample_that_is_cut_short_says_so(hubs: Hubs) -> None:
    commits = await hubs.github.commits(NEST)
    hubs.server.fail("/pulls/3/reviews", times=5, status=503)

    sample = await sample_reviews(hubs.github, NEST, commits)

    assert [change.pull for change in sample.changes] == [4]
    assert sample.note.endswith("; 1 could be read")


async def test_files_come_out_of_one_archive(hubs: Hubs) -> None:
    files = [FileEntry.of(file) for file in (await hubs.github.tree(NEST)).files]
    commit = (await hubs.github.commits(NEST))[0].sha

    held = await read_all(hubs.github, NEST, commit, files)

    assert held["src/deep/b.py"] == b"b = 2\n"
    assert len(held) == len(files)
    assert len(hubs.server.asked("/tarball/")) == 1


async def test_a_subfolder_is_read_from_its_own_root(hubs: Hubs) -> None:
    folder = identify(CODE, "https://github.com/falcon/nest/tree/main/src")
    files = [FileEntry.of(file) for file in (await hubs.github.tree(folder)).files]

    assert await read_all(hubs.github, folder, "HEAD", files) == {"a.py": b"a = 1\n", "deep/b.py": b"b = 2\n"}
    async with hubs.github.open_file(folder, "HEAD", FileEntry("deep/b.py", 6), 4) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"2\n"


async def test_a_file_that_is_not_in_the_archive_is_named(hubs: Hubs) -> None:
    with pytest.raises(NotFound, match=r"gone\.py is not in the archive of falcon/nest"):
        await read_all(hubs.github, NEST, "HEAD", [FileEntry("gone.py", 1), FileEntry("src/a.py", 6)])


async def test_an_empty_repository_has_no_commits_and_no_files(scripted_hubs: Scripts) -> None:
    _, github = await scripted_hubs.over(always(reply(409, b'{"message": "Git Repository is empty."}')))

    assert await github.commits(NEST) == ()
    assert (await github.tree(NEST)).files == ()


async def test_nobody_has_contributed_to_an_empty_repository(scripted_hubs: Scripts) -> None:
    _, github = await scripted_hubs.over(always(reply(204, b"")))

    assert await github.contributors(NEST) == ()


async def test_an_organisation_is_told_from_a_person(scripted_hubs: Scripts) -> None:
    owned = {"full_name": "falcon/nest", "owner": {"login": "falcon", "type": "Organization"}}
    _, github = await scripted_hubs.saying({"/repos/falcon/nest": owned})

    assert (await github.repository(NEST)).record.owner_is_organisation


async def test_the_readme_of_a_subfolder_comes_before_that_of_the_repository(scripted_hubs: Scripts) -> None:
    folder = identify(CODE, "https://github.com/falcon/nest/tree/main/src")
    _, both = await scripted_hubs.saying({"/repos/falcon/nest/readme": 1, "/repos/falcon/nest/readme/src": 2})
    _, one = await scripted_hubs.saying({"/repos/falcon/nest/readme": 1})

    assert (await both.readme(folder), await one.readme(folder)) == ("2", "1")


async def test_a_list_that_github_cut_says_so(scripted_hubs: Scripts) -> None:
    listed = {"tree": [{"path": "a", "type": "blob", "size": 1}, {"path": "s", "type": "tree"}], "truncated": True}
    _, github = await scripted_hubs.saying({"/repos/falcon/nest/git/trees/HEAD": listed})

    tree = await github.tree(NEST)

    assert ([file.path for file in tree.files], tree.truncated) == (["a"], True)


@pytest.mark.parametrize("answer", [None, [], {}, {"full_name": None}, {"full_name": "a/b/../../c"}, "x", 7], ids=repr)
async def test_a_repository_that_makes_no_sense_is_a_failure_of_github(scripted_hubs: Scripts, answer: object) -> None:
    _, github = await scripted_hubs.saying({"/repos/falcon/nest": answer})

    with pytest.raises(UpstreamFailed):
        await github.repository(NEST)


@pytest.mark.parametrize("answer", [None, {}, [None, 7, {}], [{"sha": None}], "x"], ids=repr)
def test_lists_that_make_no_sense_are_empty(answer: object) -> None:
    assert github_records.commits(answer) == ()
    assert github_records.contributors(answer) == ()
    assert github_records.reviewers(answer, []) == ()
    assert github_records.merged_pull(answer) is None


def test_a_commit_is_told_apart_by_its_parents_author_and_time() -> None:
    answer = [
        {
            "sha": "a" * 40,
            "commit": {
                "author": {"name": "Ada", "date": "2025-01-02T03:04:05+02:00"},
                "message": "Merge branch 'x'\n\n",
            },
            "author": None,
            "parents": [{}, {}],
        },
        {"sha": "b" * 40, "commit": {"message": "Fix\nmore"}, "author": {"login": "x", "type": "Bot"}, "parents": []},
    ]

    merge, fix = github_records.commits(answer)

    assert (merge.author, merge.is_merge, merge.is_bot) == ("Ada", True, False)
    assert merge.date == datetime(2025, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert (fix.author, fix.title, fix.is_merge, fix.is_bot) == ("x", "Fix", False, True)


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("src/model.py", True), ("docs/guide.md", True), ("Makefile", True), ("locked.py", True), ("database.py", True),
        ("uv.lock", False), ("web/package-lock.json", False), ("weights/model.safetensors", False), ("a.csv", False),
        ("api_pb2.py", False), ("node_modules/x/index.js", False), ("app.min.js", False), ("demo.ipynb", False),
    ],
)  # fmt: skip
def test_lines_of_weights_data_and_generated_files_are_no_code(path: str, counts: bool) -> None:
    commit = {"files": [{"filename": path, "additions": 3}], "stats": {"additions": 3}}

    assert github_records.added_lines(commit) == (3 if counts else 0)


async def test_clients_can_be_made_before_there_is_a_loop() -> None:
    made = await asyncio.to_thread(lambda: HuggingFace(Upstream()))

    assert made.page_url(OWL) == "https://huggingface.co/falcon/owl"
