"""Whole repositories as GitHub packs them: one folder named after repository and commit, every file in it."""

import io
import tarfile
import zipfile

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from demo.answers import base_url
from demo.items import CodeRepository


def link(request: Request, repo: CodeRepository) -> Response:
    """Send the caller on to where the archive lies."""
    form = "zip" if "/zipball" in request.url.path else "tar.gz"
    return RedirectResponse(f"{base_url(request)}/gh/repos/{repo.full_name}/archive/{form}", 302)


def download(request: Request, repo: CodeRepository) -> Response:
    """The archive itself."""
    if request.path_params["form"] == "zip":
        return Response(_zipped(repo), media_type="application/zip")
    return Response(_tarred(repo), media_type="application/x-gzip")


def _folder(repo: CodeRepository) -> str:
    return f"{repo.full_name.replace('/', '-')}-{repo.changes[0].sha[:7]}"


def _tarred(repo: CodeRepository) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, content in repo.files.items():
            member = tarfile.TarInfo(f"{_folder(repo)}/{path}")
            member.size = content.size_bytes
            member.mtime = int(repo.changes[0].date.timestamp())
            archive.addfile(member, io.BytesIO(content.read()))
    return packed.getvalue()


def _zipped(repo: CodeRepository) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in repo.files.items():
            archive.writestr(f"{_folder(repo)}/{path}", content.read())
    return packed.getvalue()
