"""The part of the Hugging Face Hub's API that reads models and datasets."""

import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from demo import records
from demo.answers import base_url, file_answer, json_answer
from demo.content import Content, git_blob, pointer, sha256, text
from demo.items import HubRepo, Organisation
from demo.records import refusal

Answer = Callable[[Request, HubRepo], Response]


class _RepoId(Convertor[str]):
    """`owner/name`, or the bare name that the oldest repositories had."""

    regex = r"[^/]+(?:/[^/]+)?"

    def convert(self, value: str) -> str:
        """Take the text as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Take the text as it is."""
        return value


register_url_convertor("repo_id", _RepoId())


class HuggingFace:
    """The hub's routes over one organisation; `token` is the only one that opens gated repositories."""

    def __init__(self, organisation: Organisation, token: str) -> None:
        self._organisation, self._token = organisation, token

    def routes(self) -> list[Route]:
        """All routes; more specific ones come first."""
        found = [
            Route("/api/organizations/{name}/overview", self._organisation_overview),
            Route("/api/organizations/{name}/members", self._organisation_members),
            Route("/api/users/{name}/overview", self._user_overview),
        ]
        for kind in ("models", "datasets"):
            space = "/datasets" if kind == "datasets" else ""
            table: list[tuple[str, Answer]] = [
                (f"/api/{kind}/{{id:repo_id}}/revision/{{rev}}", records.record),
                (f"/api/{kind}/{{id:repo_id}}/tree/{{rev}}/{{path:path}}", records.tree),
                (f"/api/{kind}/{{id:repo_id}}/tree/{{rev}}", records.tree),
                (f"/api/{kind}/{{id:repo_id}}/commits/{{rev}}", records.commits),
                (f"/api/{kind}/{{id:repo_id}}/refs", records.refs),
                (f"/api/{kind}/{{id:repo_id}}", records.record),
                (f"/cdn/{kind}/{{id:repo_id}}/-/{{path:path}}", _large_file),
                (f"{space}/{{id:repo_id}}/resolve/{{rev}}/{{path:path}}", self._resolve),
                (f"{space}/{{id:repo_id}}/raw/{{rev}}/{{path:path}}", self._raw),
            ]
            found += [Route(path, self._for_repo(kind, answer)) for path, answer in table]
            paths_info = _with_paths(self._for_repo(kind, records.paths_info))
            found.append(Route(f"/api/{kind}/{{id:repo_id}}/paths-info/{{rev}}", paths_info, methods=["POST"]))
        found.append(Route("/datasets/{id:repo_id}", self._for_repo("datasets", _web_page)))
        found.append(Route("/{id:repo_id}", self._for_repo("models", _web_page)))
        return sorted(found, key=lambda route: not route.path.startswith(("/api/", "/datasets/", "/cdn/")))

    def _for_repo(self, kind: str, answer: Answer) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            name = request.path_params["id"]
            if now := self._organisation.moved(kind, name):
                path = request.url.path.replace(name, now, 1)
                return RedirectResponse(path + (f"?{request.url.query}" if request.url.query else ""))
            repo = self._organisation.hub(kind).get(name.lower())
            if repo is None:
                return self._no_such_repo(request)
            if request.path_params.get("rev", "main") not in {"main", *(commit.id for commit in repo.commits)}:
                return refusal(404, "RevisionNotFound", f"Invalid rev id: {request.path_params['rev']}")
            return answer(request, repo)

        return endpoint

    def _no_such_repo(self, request: Request) -> Response:
        """Tell a caller without a token no more than that they may not know."""
        if self._knows(request):
            return refusal(404, "RepoNotFound", "Repository not found")
        return refusal(401, "RepoNotFound", "Invalid username or password.")

    def _knows(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self._token}"

    def _resolve(self, request: Request, repo: HubRepo) -> Response:
        content = repo.files.get(request.path_params["path"])
        if refused := self._refused(request, repo, content):
            return refused
        assert content is not None  # noqa: S101  a missing file was refused above
        headers = {"x-repo-commit": repo.sha}
        if not content.large:
            return file_answer(request, content, git_blob(content), headers, "text/plain; charset=utf-8")
        path = f"/cdn/{repo.kind}/{repo.id}/-/{request.path_params['path']}"
        return RedirectResponse(base_url(request) + path, 302, headers=_linked(repo, content))

    def _raw(self, request: Request, repo: HubRepo) -> Response:
        """What git keeps: of a large file, the pointer."""
        content = repo.files.get(request.path_params["path"])
        if refused := self._refused(request, repo, content):
            return refused
        assert content is not None  # noqa: S101  a missing file was refused above
        kept = text(pointer(content)) if content.large else content
        return file_answer(request, kept, git_blob(content), {"x-repo-commit": repo.sha}, "text/plain; charset=utf-8")

    def _refused(self, request: Request, repo: HubRepo, content: Content | None) -> Response | None:
        if repo.gated and request.path_params["path"] != "README.md" and not self._knows(request):
            why = (
                f"Access to {repo.kind[:-1]} {repo.id} is restricted. You must have access to it and be authenticated."
            )
            return refusal(401, "GatedRepo", why)
        return refusal(404, "EntryNotFound", "Entry not found") if content is None else None

    def _organisation_overview(self, request: Request) -> Response:
        account = self._organisation.accounts.get(request.path_params["name"].lower())
        if account is None or not account.members:
            return JSONResponse({"error": "This organization does not exist"}, 404)
        overview = {
            "name": account.name,
            "fullname": account.full_name,
            "numUsers": len(account.members),
            "type": "org",
        }
        return json_answer(request, overview)

    def _organisation_members(self, request: Request) -> Response:
        account = self._organisation.accounts.get(request.path_params["name"].lower())
        if account is None or not account.members:
            return JSONResponse({"error": "This organization does not exist"}, 404)
        return json_answer(request, [{"user": name, "fullname": name, "type": "user"} for name in account.members])

    def _user_overview(self, request: Request) -> Response:
        account = self._organisation.accounts.get(request.path_params["name"].lower())
        if account is None or account.members:
            return JSONResponse({"error": "This user does not exist"}, 404)
        return json_answer(request, {"user": account.name, "fullname": account.full_name, "type": "user"})


def _with_paths(endpoint: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Read the paths that a POST asks for, sent as a form or as JSON, before the endpoint runs in its thread."""

    async def read_first(request: Request) -> Response:
        body = (await request.body()).decode()
        request.state.paths = set(
            json.loads(body)["paths"] if body.startswith("{") else parse_qs(body).get("paths", [])
        )
        return await run_in_threadpool(endpoint, request)

    return read_first


def _large_file(request: Request, repo: HubRepo) -> Response:
    content = repo.files.get(request.path_params["path"])
    if content is None or not content.large:
        return JSONResponse({"error": "no such object"}, 404)
    return file_answer(request, content, sha256(content), _linked(repo, content), "application/octet-stream")


def _linked(repo: HubRepo, content: Content) -> dict[str, str]:
    """What the hub says of a large file as it hands over to its store; here both are one, so the store repeats it."""
    etag = f'"{sha256(content)}"'
    size = str(content.size_bytes)
    return {"x-repo-commit": repo.sha, "x-linked-etag": etag, "x-linked-size": size, "etag": etag}


def _web_page(_: Request, repo: HubRepo) -> Response:
    return Response(f"<!doctype html><title>{repo.id}</title>", media_type="text/html")
