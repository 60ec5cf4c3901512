"""The JSON in which GitHub speaks of commits, pull requests and their reviews."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.answers import json_answer, page
from demo.items import Change, CodeRepository


def stamp(when: datetime) -> str:
    """A time as GitHub writes it."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def not_found() -> Response:
    """GitHub's word for what is not there or not to be known."""
    return JSONResponse(
        {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}, 404
    )


def person(login: str) -> dict[str, str]:
    """An account as it is quoted in other records."""
    return {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def commit(repo: CodeRepository, change: Change) -> dict[str, Any]:
    """One commit as listings show it."""
    older = repo.changes[repo.changes.index(change) + 1 :][:1]
    signature = {"name": change.author, "email": f"{change.author}@users.invalid", "date": stamp(change.date)}
    return {
        "sha": change.sha,
        "html_url": f"https://github.com/{repo.full_name}/commit/{change.sha}",
        "commit": {"author": signature, "committer": signature, "message": change.message},
        "author": person(change.author),
        "committer": person(change.author),
        "parents": [{"sha": parent.sha} for parent in older],
    }


def find_change(repo: CodeRepository, ref: str) -> Change | None:
    """The commit that a branch's name or the beginning of an id means."""
    if ref in {repo.branch, "HEAD"}:
        return repo.changes[0]
    return next((change for change in repo.changes if change.sha.startswith(ref)), None)


def stats(changes: Sequence[Change]) -> dict[str, Any]:
    """Lines added and removed, in all and by file."""
    by_path: dict[str, tuple[int, int]] = {}
    for change in changes:
        for path, (added, removed) in change.lines.items():
            before = by_path.get(path, (0, 0))
            by_path[path] = (before[0] + added, before[1] + removed)
    files = [
        {"filename": path, "status": "modified", "additions": added, "deletions": removed, "changes": added + removed}
        for path, (added, removed) in by_path.items()
    ]
    added, removed = (sum(pair[side] for pair in by_path.values()) for side in (0, 1))
    return {"stats": {"additions": added, "deletions": removed, "total": added + removed}, "files": files}


def of_commit(request: Request, repo: CodeRepository) -> Response:
    """The pull requests that a commit came through."""
    sha = request.path_params["sha"]
    numbers = [change.pull for change in repo.changes if change.sha.startswith(sha) and change.pull]
    return json_answer(request, [_pull(repo, number) for number in numbers])


def listed(request: Request, repo: CodeRepository) -> Response:
    """Pull requests, newest first; all that are known are closed and merged."""
    numbers = sorted({change.pull for change in repo.changes if change.pull}, reverse=True)
    wanted = numbers if request.query_params.get("state", "open") in {"closed", "all"} else []
    part, headers = page(request, wanted)
    return json_answer(request, [_pull(repo, number) for number in part], headers)


def one(request: Request, repo: CodeRepository) -> Response:
    """One pull request with its figures."""
    changes = _changes(repo, request)
    if not changes:
        return not_found()
    summary = stats(changes)
    figures = {key: summary["stats"][key] for key in ("additions", "deletions")}
    figures |= {"changed_files": len(summary["files"]), "commits": len(changes)}
    return json_answer(request, _pull(repo, request.path_params["number"]) | figures)


def reviews(request: Request, repo: CodeRepository) -> Response:
    """The reviews that were submitted to a pull request."""
    number = request.path_params["number"]
    if not _changes(repo, request):
        return not_found()
    given = [
        {"id": number * 100 + index, "user": person(review.by), "state": review.state, "body": ""}
        for index, review in enumerate(repo.reviews.get(number, ()))
    ]
    part, headers = page(request, given)
    return json_answer(request, part, headers)


def commits(request: Request, repo: CodeRepository) -> Response:
    """The commits of a pull request."""
    changes = _changes(repo, request)
    return json_answer(request, [commit(repo, change) for change in changes]) if changes else not_found()


def files(request: Request, repo: CodeRepository) -> Response:
    """The files that a pull request changes."""
    changes = _changes(repo, request)
    return json_answer(request, stats(changes)["files"]) if changes else not_found()


def _changes(repo: CodeRepository, request: Request) -> list[Change]:
    return [change for change in repo.changes if change.pull == request.path_params["number"]]


def _pull(repo: CodeRepository, number: int) -> dict[str, Any]:
    last = next(change for change in repo.changes if change.pull == number)
    return {
        "number": number,
        "state": "closed",
        "title": last.message.split("\n", maxsplit=1)[0],
        "user": person(last.author),
        "html_url": f"https://github.com/{repo.full_name}/pull/{number}",
        "created_at": stamp(last.date),
        "closed_at": stamp(last.date),
        "merged_at": stamp(last.date),
        "merge_commit_sha": last.sha,
        "base": {"ref": repo.branch},
        "draft": False,
    }
