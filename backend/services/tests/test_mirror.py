import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.artifact import FileEntry
from backend.domain.job import JobKind
from backend.domain.source import ArtifactType
from backend.services.mirror import MirrorPlan, mirror_job
from backend.settings import MirrorPolicy
from backend.tests.factories import NOON, make_artifact, make_entry

LFS = "0" * 64


def _weights(path: str, size_bytes: int) -> FileEntry:
    return make_entry(path, size_bytes, claimed_sha256=LFS)


MODEL = [
    make_entry("README.md", 2_000),
    make_entry("config.json", 500),
    _weights("model-00001-of-00002.safetensors", 40_000),
    _weights("model-00002-of-00002.safetensors", 30_000),
    _weights("pytorch_model.bin", 90_000),
    _weights("extra.onnx", 100_000),
]
SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


def _chosen(policy: MirrorPolicy, max_bytes: int = 0, files: list[FileEntry] | None = None) -> list[str]:
    return [
        file.path
        for file in MirrorPlan(policy, max_bytes).choose(ArtifactType.MODEL, MODEL if files is None else files)
    ]


def test_everything_is_copied_small_files_first() -> None:
    chosen = _chosen(MirrorPolicy.ALL)

    assert chosen[:2] == ["config.json", "README.md"]
    assert sorted(chosen) == sorted(file.path for file in MODEL)


def test_nothing_is_copied_where_nothing_may() -> None:
    assert _chosen(MirrorPolicy.NONE) == []


@pytest.mark.parametrize(
    ("budget", "chosen"),
    [
        (0, []),
        (600, ["config.json"]),
        (2_500, ["config.json", "README.md"]),
        (72_499, ["config.json", "README.md"]),
        (72_500, ["config.json", "README.md", *SHARDS]),
        (162_500, ["config.json", "README.md", *SHARDS, "pytorch_model.bin"]),
        (10**9, ["config.json", "README.md", *SHARDS, "pytorch_model.bin", "extra.onnx"]),
    ],
)
def test_texts_come_first_then_whole_weights_then_what_fits(budget: int, chosen: list[str]) -> None:
    assert _chosen(MirrorPolicy.UP_TO, budget) == chosen


FILES = st.lists(
    st.builds(
        FileEntry,
        st.sampled_from(
            ["README.md", "a.txt", "config.json", "model.safetensors", "pytorch_model.bin", "x.onnx", *SHARDS]
        ),
        st.integers(0, 10_000),
        claimed_sha256=st.sampled_from([None, LFS]),
    ),
    unique_by=lambda file: file.path,
)


@given(FILES, st.integers(0, 40_000), st.sampled_from(ArtifactType))
def test_no_plan_exceeds_its_budget_repeats_a_file_or_splits_the_weights(
    files: list[FileEntry], budget: int, kind: ArtifactType
) -> None:
    chosen = MirrorPlan(MirrorPolicy.UP_TO, budget).choose(kind, files)

    paths = [file.path for file in chosen]
    assert sum(file.size_bytes for file in chosen) <= budget
    assert len(paths) == len(set(paths))
    assert set(chosen) <= set(files)


@given(FILES, st.sampled_from(ArtifactType))
def test_with_room_for_all_every_file_is_copied(files: list[FileEntry], kind: ArtifactType) -> None:
    chosen = MirrorPlan(MirrorPolicy.UP_TO, 10**9).choose(kind, files)

    assert sorted(file.path for file in chosen) == sorted(file.path for file in files)


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(0, 25_000))
def test_shards_are_copied_all_or_none_while_they_are_the_only_weights(one: int, other: int, budget: int) -> None:
    files = [_weights(path, size) for path, size in zip(SHARDS, (one, other), strict=True)]

    assert _chosen(MirrorPolicy.UP_TO, budget, files) in ([], SHARDS)


def test_a_plan_that_chooses_nothing_makes_no_job() -> None:
    assert mirror_job(make_artifact(), MODEL, MirrorPlan(MirrorPolicy.NONE, 0), now=NOON) == []


def test_a_job_names_what_is_to_be_copied_in_order() -> None:
    artifact = make_artifact()

    (job,) = mirror_job(artifact, MODEL, MirrorPlan(MirrorPolicy.UP_TO, 2_500), now=NOON)

    assert (job.kind, job.artifact_id, job.payload["paths"]) == (
        JobKind.MIRROR,
        artifact.id,
        ["config.json", "README.md"],
    )
