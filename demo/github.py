"""The part of GitHub's REST API that reads repositories."""

import base64
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo import archives, pulls
from demo.answers import base_url, json_answer, page, revalidated
from demo.content import Content, git_blob
from demo.gittree import Entry, entries, root_id
from demo.items import Change, CodeRepository, Organisation

RATE_LIMIT = 5000
Answer = Callable[[Request, CodeRepository], Response]


class GitHub:
    """GitHub's routes, below `/gh`, over one organisation."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation, self._asked = organisation, count(1)

    def routes(self) -> list[Route]:
        """All routes: each repository answers under its name and under the number that survives a renaming."""
        table: list[tuple[str, Answer]] = [
            ("", _record),
            ("/contributors", _contributors),
            ("/commits", _commits),
            ("/commits/{sha}/pulls", pulls.of_commit),
            ("/commits/{sha}", _commit),
            ("/pulls", pulls.listed),
            ("/pulls/{number:int}", pulls.one),
            ("/pulls/{number:int}/reviews", pulls.reviews),
            ("/pulls/{number:int}/commits", pulls.commits),
            ("/pulls/{number:int}/files", pulls.files),
            ("/git/trees/{sha}", _tree),
            ("/git/blobs/{sha}", _blob),
            ("/readme", _readme),
            ("/license", _license),
            ("/languages", _languages),
            ("/contents", _contents),
            ("/contents/{path:path}", _contents),
            ("/tarball", archives.link),
            ("/tarball/{ref:path}", archives.link),
            ("/zipball", archives.link),
            ("/zipball/{ref:path}", archives.link),
            ("/archive/{form}", archives.download),
            ("/branches", _branches),
            ("/tags", _nothing),
            ("/releases", _nothing),
        ]
        return [
            Route(start + path, self._for_repository(answer))
            for start in ("/gh/repos/{owner}/{name}", "/gh/repositories/{id:int}")
            for path, answer in table
        ]

    def _for_repository(self, answer: Answer) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            response = self._answer(request, answer)
            used = next(self._asked) % RATE_LIMIT
            response.headers["x-ratelimit-limit"] = str(RATE_LIMIT)
            response.headers["x-ratelimit-remaining"] = str(RATE_LIMIT - used)
            response.headers["x-ratelimit-used"] = str(used)
            response.headers["x-ratelimit-reset"] = str(int(time.time()) + 3600)
            response.headers["x-ratelimit-resource"] = "core"
            return response

        return endpoint

    def _answer(self, request: Request, answer: Answer) -> Response:
        if "id" in request.path_params:
            known = self._organisation.repositories.values()
            repo = next((repo for repo in known if repo.number == request.path_params["id"]), None)
            return answer(request, repo) if repo else not_found()
        name = "{owner}/{name}".format(**request.path_params).removesuffix(".git")
        if moved := self._organisation.moved_repository(name):
            return _moved(request, moved)
        repo = self._organisation.repositories.get(name.lower())
        return answer(request, repo) if repo else not_found()


def not_found() -> Response:
    """GitHub's word for what is not there or not to be known."""
    return JSONResponse(
        {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}, 404
    )


def _moved(request: Request, repo: CodeRepository) -> Response:
    rest = request.url.path.split("/", 5)[5:]
    url = f"{base_url(request)}/gh/repositories/{repo.number}" + "".join(f"/{part}" for part in rest)
    url += f"?{request.url.query}" if request.url.query else ""
    return JSONResponse({"message": "Moved Permanently", "url": url}, 301, headers={"location": url})


def _record(request: Request, repo: CodeRepository) -> Response:
    owner, name = repo.full_name.split("/")
    stars, forks = repo.facts.get("stargazers_count", 0), repo.facts.get("forks_count", 0)
    record = {
        "id": repo.number,
        "name": name,
        "full_name": repo.full_name,
        "private": False,
        "owner": {"login": owner, "type": "User"},
        "html_url": f"https://github.com/{repo.full_name}",
        "url": f"{base_url(request)}/gh/repos/{repo.full_name}",
        "description": None,
        "fork": False,
        "created_at": pulls.stamp(repo.created_at),
        "updated_at": pulls.stamp(repo.changes[0].date),
        "pushed_at": pulls.stamp(repo.changes[0].date),
        "size": sum(content.size_bytes for content in repo.files.values()) // 1024,
        "language": max(_bytes_by_language(repo).items(), key=lambda pair: pair[1], default=(None, 0))[0],
        "archived": False,
        "disabled": False,
        "topics": [],
        "visibility": "public",
        "default_branch": "main",
        "license": _license_record(repo),
        "stargazers_count": stars,
        "watchers_count": stars,
        "forks_count": forks,
        "open_issues_count": 0,
    }
    owner_type = repo.facts.get("owner_type", "User")
    stated = {key: value for key, value in repo.facts.items() if key != "owner_type"}
    return json_answer(request, record | stated | {"owner": {"login": owner, "type": owner_type}})


def _contributors(request: Request, repo: CodeRepository) -> Response:
    tally: dict[str, int] = {}
    for change in repo.changes:
        tally[change.author] = tally.get(change.author, 0) + 1
    ranked = sorted(tally.items(), key=lambda pair: (-pair[1], pair[0]))
    return _paged(request, [{**pulls.person(login), "contributions": made} for login, made in ranked])


def _commits(request: Request, repo: CodeRepository) -> Response:
    asked = request.query_params
    found = [
        change
        for change in repo.changes
        if change.author == asked.get("author", change.author)
        and asked.get("since", "") <= pulls.stamp(change.date) <= asked.get("until", "9")
        and any(path.startswith(asked.get("path", "")) for path in change.lines or [""])
    ]
    return _paged(request, [pulls.commit(repo, change) for change in found])


def _commit(request: Request, repo: CodeRepository) -> Response:
    change = find_change(repo, request.path_params["sha"])
    if change is None:
        return JSONResponse({"message": f"No commit found for SHA: {request.path_params['sha']}"}, 422)
    return json_answer(request, pulls.commit(repo, change) | pulls.stats([change]))


def find_change(repo: CodeRepository, ref: str) -> Change | None:
    """The commit that a branch's name or the beginning of an id means."""
    if ref in {repo.branch, "HEAD"}:
        return repo.changes[0]
    return next((change for change in repo.changes if change.sha.startswith(ref)), None)


def _tree(request: Request, repo: CodeRepository) -> Response:
    found, ref = entries(repo.files), request.path_params["sha"]
    if ref == root_id(repo.files) or find_change(repo, ref):
        top = ""
    else:
        folder = next((entry.path for entry in found if entry.kind == "tree" and entry.id == ref), None)
        if folder is None:
            return not_found()
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


def _blob(request: Request, repo: CodeRepository) -> Response:
    found = [content for content in repo.files.values() if git_blob(content) == request.path_params["sha"]]
    if not found:
        return not_found()
    body = {"sha": request.path_params["sha"], "size": found[0].size_bytes, "encoding": "base64"}
    return json_answer(request, body | {"content": _base64(found[0])})


def _readme(request: Request, repo: CodeRepository) -> Response:
    return _first_of(request, repo, ("README.md", "README.rst", "README.txt", "README"))


def _license(request: Request, repo: CodeRepository) -> Response:
    names = ("LICENSE", "LICENSE.md", "LICENSE.txt", "COPYING")
    found = next((name for name in names if name in repo.files), None)
    if found is None:
        return not_found()
    return json_answer(request, _file(found, repo.files[found]) | {"license": _license_record(repo)})


def _license_record(repo: CodeRepository) -> dict[str, str] | None:
    if repo.license is None:
        return None
    return {"key": repo.license.lower(), "name": repo.license, "spdx_id": repo.license}


def _languages(request: Request, repo: CodeRepository) -> Response:
    return json_answer(request, _bytes_by_language(repo))


def _bytes_by_language(repo: CodeRepository) -> dict[str, int]:
    names = {".py": "Python", ".sh": "Shell", ".c": "C", ".h": "C", ".rs": "Rust", ".ipynb": "Jupyter Notebook"}
    tally: dict[str, int] = {}
    for path, content in repo.files.items():
        for suffix, language in names.items():
            if path.endswith(suffix):
                tally[language] = tally.get(language, 0) + content.size_bytes
    return tally


def _contents(request: Request, repo: CodeRepository) -> Response:
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
    return json_answer(request, listed) if listed else not_found()


def _first_of(request: Request, repo: CodeRepository, names: Iterable[str]) -> Response:
    """The first of these files there is: raw or HTML where that is asked for, else base64 in JSON."""
    path = next((name for name in names if name in repo.files), None)
    if path is None:
        return not_found()
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


def _branches(request: Request, repo: CodeRepository) -> Response:
    return _paged(request, [{"name": repo.branch, "commit": {"sha": repo.changes[0].sha}, "protected": True}])


def _nothing(request: Request, _: CodeRepository) -> Response:
    return json_answer(request, [])


def _paged(request: Request, items: Sequence[object]) -> Response:
    part, headers = page(request, items)
    return json_answer(request, part, headers)
