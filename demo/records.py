"""The JSON in which the Hugging Face Hub speaks of a repository."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.answers import json_answer
from demo.content import Content, git_blob, git_object, parameters, pointer, sha256
from demo.items import HubRepo

COMMITS_PER_PAGE = 50


def refusal(status: int, code: str, message: str) -> Response:
    """Refuse as the hub does: the code in a header tells the client which error to raise."""
    headers = {"X-Error-Code": code, "X-Error-Message": message}
    return JSONResponse({"error": message}, status, headers=headers)


def record(request: Request, repo: HubRepo) -> Response:
    """The hub's record; with `?blobs=true` each file carries its size and digests."""
    files = repo.files.items()
    siblings = [
        _sibling(path, content) if "blobs" in request.query_params else {"rfilename": path} for path, content in files
    ]
    answer = {
        "_id": git_object("id", repo.id.encode())[:24],
        "id": repo.id,
        "author": repo.id.split("/", maxsplit=1)[0],
        "sha": repo.sha,
        "createdAt": _stamp(repo.created_at),
        "lastModified": _stamp(repo.commits[0].date),
        "private": False,
        "gated": repo.gated,
        "disabled": False,
        "downloads": repo.downloads,
        "likes": repo.likes,
        "tags": list(_tags(repo)),
        "siblings": siblings,
        "usedStorage": sum(content.size_bytes for content in repo.files.values()),
    }
    if repo.card:
        answer["cardData"] = {key: value for key, value in repo.card.items() if key != "model-index"}
    return json_answer(request, answer | _of_its_kind(repo) | dict(repo.facts))


def _of_its_kind(repo: HubRepo) -> dict[str, Any]:
    """The fields that only models or only datasets have."""
    if repo.kind == "datasets":
        return {"description": "", "citation": None, "paperswithcode_id": None}
    extra: dict[str, Any] = {"modelId": repo.id, "spaces": []}
    extra |= {key: repo.card[key] for key in ("pipeline_tag", "library_name", "model-index") if key in repo.card}
    counts: dict[str, int] = {}
    for path, content in repo.files.items():
        if content.large and path.endswith(".safetensors"):
            for dtype, count in parameters(content).items():
                counts[dtype] = counts.get(dtype, 0) + count
    if counts:
        extra["safetensors"] = {"parameters": counts, "total": sum(counts.values())}
    return extra


def _tags(repo: HubRepo) -> Iterable[str]:
    """The tags that the hub derives from the card and the files, then those that the card states."""
    card = repo.card
    suffixes = {PurePosixPath(path).suffix.lstrip(".") for path in repo.files}
    yield from _listed(card.get("library_name"))
    yield from sorted(suffixes & {"safetensors", "gguf", "onnx"})
    yield from _listed(card.get("pipeline_tag"))
    yield from _listed(card.get("tags"))
    if repo.kind == "models":
        yield from _listed(card.get("language"))
        yield from (f"dataset:{name}" for name in _listed(card.get("datasets")))
    else:
        yield from (f"language:{name}" for name in _listed(card.get("language")))
        for key in ("task_categories", "size_categories"):
            yield from (f"{key}:{name}" for name in _listed(card.get(key)))
    for parent in _listed(card.get("base_model")):
        yield f"base_model:{parent}"
        yield f"base_model:{card.get('base_model_relation', 'finetune')}:{parent}"
    yield from (f"license:{name}" for name in _listed(card.get("license")))
    if "model-index" in card:
        yield "model-index"
    yield "region:us"


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]


def _sibling(path: str, content: Content) -> dict[str, Any]:
    sibling: dict[str, Any] = {"rfilename": path, "size": content.size_bytes, "blobId": git_blob(content)}
    if content.large:
        size = content.size_bytes
        sibling["lfs"] = {"sha256": sha256(content), "size": size, "pointerSize": len(pointer(content))}
    return sibling


def _entry(path: str, content: Content) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "oid": git_blob(content), "size": content.size_bytes, "path": path}
    if content.large:
        size = content.size_bytes
        entry["lfs"] = {"oid": sha256(content), "size": size, "pointerSize": len(pointer(content))}
    return entry


def tree(request: Request, repo: HubRepo) -> Response:
    """The files of a folder, or with `?recursive=true` all below it."""
    folder = request.path_params.get("path", "").strip("/")
    inside = {path: content for path, content in repo.files.items() if not folder or path.startswith(f"{folder}/")}
    if folder and not inside:
        return refusal(404, "EntryNotFound", f"{folder} does not exist on this revision")
    if request.query_params.get("recursive", "").lower() in {"1", "true"}:
        return json_answer(request, [_entry(path, content) for path, content in inside.items()])
    depth = folder.count("/") + 1 if folder else 0
    entries: dict[str, dict[str, Any]] = {}
    for path, content in inside.items():
        parts = path.split("/")
        top = "/".join(parts[: depth + 1])
        folder_id = git_object("tree", f"{repo.id}/{top}".encode())
        is_file = len(parts) == depth + 1
        entries[top] = (
            _entry(path, content) if is_file else {"type": "directory", "oid": folder_id, "size": 0, "path": top}
        )
    return json_answer(request, list(entries.values()))


def paths_info(request: Request, repo: HubRepo) -> Response:
    """The entries of the paths that were asked for; a path that is not there is left out."""
    asked = request.state.paths
    return json_answer(request, [_entry(path, content) for path, content in repo.files.items() if path in asked])


def commits(request: Request, repo: HubRepo) -> Response:
    """One page of the history, newest first."""
    number = int(request.query_params.get("p", 0))
    listed = [
        {
            "id": commit.id,
            "title": commit.title,
            "message": "",
            "date": _stamp(commit.date),
            "authors": [{"user": commit.author, "avatar": ""}],
        }
        for commit in repo.commits
    ]
    headers = {"x-total-count": str(len(listed))}
    if len(listed) > (number + 1) * COMMITS_PER_PAGE:
        headers["link"] = f'<{request.url.include_query_params(p=number + 1)}>; rel="next"'
    return json_answer(request, listed[number * COMMITS_PER_PAGE :][:COMMITS_PER_PAGE], headers)


def refs(request: Request, repo: HubRepo) -> Response:
    """The branches; there is only `main`."""
    main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.sha}
    return json_answer(request, {"branches": [main], "tags": [], "converts": []})


def _stamp(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.000Z"
