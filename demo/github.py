"""The part of GitHub's REST API that reads repositories."""

import time
from collections.abc import Callable, Sequence
from itertools import count

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo import archives, contents, pulls
from demo.answers import base_url, json_answer, page
from demo.items import CodeRepository, Organisation

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
            ("/git/trees/{sha}", contents.tree),
            ("/git/blobs/{sha}", contents.blob),
            ("/readme", contents.readme),
            ("/license", contents.licence),
            ("/languages", contents.languages),
            ("/contents", contents.listing),
            ("/contents/{path:path}", contents.listing),
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
            return answer(request, repo) if repo else pulls.not_found()
        name = "{owner}/{name}".format(**request.path_params).removesuffix(".git")
        if moved := self._organisation.moved_repository(name):
            return _moved(request, moved)
        repo = self._organisation.repositories.get(name.lower())
        return answer(request, repo) if repo else pulls.not_found()


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
        "language": max(contents.bytes_by_language(repo).items(), key=lambda pair: pair[1], default=(None, 0))[0],
        "archived": False,
        "disabled": False,
        "topics": [],
        "visibility": "public",
        "default_branch": "main",
        "license": contents.licence_record(repo),
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
    change = pulls.find_change(repo, request.path_params["sha"])
    if change is None:
        return JSONResponse({"message": f"No commit found for SHA: {request.path_params['sha']}"}, 422)
    return json_answer(request, pulls.commit(repo, change) | pulls.stats([change]))


def _branches(request: Request, repo: CodeRepository) -> Response:
    return _paged(request, [{"name": repo.branch, "commit": {"sha": repo.changes[0].sha}, "protected": True}])


def _nothing(request: Request, _: CodeRepository) -> Response:
    return json_answer(request, [])


def _paged(request: Request, items: Sequence[object]) -> Response:
    part, headers = page(request, items)
    return json_answer(request, part, headers)
