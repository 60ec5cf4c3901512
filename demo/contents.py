"""What is in a GitHub repository: trees, blobs, files and what GitHub reads out of them."""

import base64
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from demo import pulls
from demo.answers import json_answer, revalidated
from demo.content import Content, git_blob
from demo.gittree import Entry, entries, root_id
from demo.items import CodeRepository


def tree(request: Request, repo: CodeRepository) -> Response:
    """The tree of a branch, a commit or a folder's id; with `?recursive` all that is below it."""
    found, ref = entries(repo.files), request.path_params["sha"]
    if ref == root_id(repo.files) or pulls.find_change(repo, ref):
        top = ""
    else:
        folder = next((entry.path for entry in found if entry.kind == "tree" and entry.id == ref), None)
        if folder is None:
            return pulls.not_found()
        top = folder + "/"
    recursive = "recursive" in request.query_params
    inside = [
        entry for entry in found if entry.path.startswith(top) and (recursive or "/" not in entry.path[len(top) :])
    ]
    tree = [_tree_entry(entry, entry.path.removeprefix(top)) for entry in inside]
    return json_answer(request, {"sha": root_id(repo.files) if not top else ref, "tree": tree, "truncated": False})


def _tree_entry(entry: Entry, path: str) -> dict[str, object]:
    listed: dict[str, object] = {"path": path, "mode": entry.mode, "type": entry.kind, "sha": entry.id}
    return listed | ({"size": entry.size_bytes} if entry.kind == "blob" else {})


def blob(request: Request, repo: CodeRepository) -> Response:
    """One file by its id."""
    found = [content for content in repo.files.values() if git_blob(content) == request.path_params["sha"]]
    if not found:
        return pulls.not_found()
    body = {"sha": request.path_params["sha"], "size": found[0].size_bytes, "encoding": "base64"}
    return json_answer(request, body | {"content": _base64(found[0])})


def readme(request: Request, repo: CodeRepository) -> Response:
    """The README, whatever it is called."""
    return _first_of(request, repo, ("README.md", "README.rst", "README.txt", "README"))


def licence(request: Request, repo: CodeRepository) -> Response:
    """The licence's file and what GitHub took it for."""
    names = ("LICENSE", "LICENSE.md", "LICENSE.txt", "COPYING")
    found = next((name for name in names if name in repo.files), None)
    if found is None:
        return pulls.not_found()
    return json_answer(request, _file(found, repo.files[found]) | {"license": licence_record(repo)})


def languages(request: Request, repo: CodeRepository) -> Response:
    """Bytes by language."""
    return json_answer(request, bytes_by_language(repo))


def bytes_by_language(repo: CodeRepository) -> dict[str, int]:
    """How many bytes there are of each language that is known by its suffix."""
    names = {".py": "Python", ".sh": "Shell", ".c": "C", ".h": "C", ".rs": "Rust", ".ipynb": "Jupyter Notebook"}
    tally: dict[str, int] = {}
    for path, content in repo.files.items():
        for suffix, language in names.items():
            if path.endswith(suffix):
                tally[language] = tally.get(language, 0) + content.size_bytes
    return tally


def listing(request: Request, repo: CodeRepository) -> Response:
    """One file, or what a folder holds."""
    path = request.path_params.get("path", "").strip("/")
    if path in repo.files:
        return _first_of(request, repo, (path,))
    top = f"{path}/" if path else ""
    inside = [
        entry for entry in entries(repo.files) if entry.path.startswith(top) and "/" not in entry.path[len(top) :]
    ]
    kinds = {"blob": "file", "tree": "dir"}
    listed = [
        {
            "name": entry.path.rsplit("/", 1)[-1],
            "path": entry.path,
            "sha": entry.id,
            "size": entry.size_bytes,
            "type": kinds[entry.kind],
        }
        for entry in inside
    ]
    return json_answer(request, listed) if listed else pulls.not_found()


def _first_of(request: Request, repo: CodeRepository, names: Iterable[str]) -> Response:
    """The first of these files there is: raw or HTML where that is asked for, else base64 in JSON."""
    path = next((name for name in names if name in repo.files), None)
    if path is None:
        return pulls.not_found()
    if "raw" in request.headers.get("accept", ""):
        raw = Response(repo.files[path].read(), media_type="application/vnd.github.raw; charset=utf-8")
        return revalidated(request, raw)
    return json_answer(request, _file(path, repo.files[path]))


def _file(path: str, content: Content) -> dict[str, object]:
    name = path.rsplit("/", 1)[-1]
    facts = {"name": name, "path": path, "sha": git_blob(content), "size": content.size_bytes, "type": "file"}
    return facts | {"encoding": "base64", "content": _base64(content)}


def _base64(content: Content) -> str:
    return base64.encodebytes(content.read()).decode()


def licence_record(repo: CodeRepository) -> dict[str, str] | None:
    """The licence as records quote it, None where there is none."""
    if repo.license is None:
        return None
    return {"key": repo.license.lower(), "name": repo.license, "spdx_id": repo.license}
