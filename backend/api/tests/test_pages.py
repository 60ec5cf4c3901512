"""Pages for people load from here and from nowhere else."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2
import pytest

from backend.api.pages import OWN, PAGES, VENDORED, vendored
from backend.api.tests.problems import problem_of

LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "redoc": "spec-url", "source": "src"}
LEADING = {"a": "href", "form": "action"}


class Parts(HTMLParser):
    """What a page loads, where it leads, and what stands inline in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.led_to: list[str] = []
        self.inline: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self._within = tag
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        for names, found in ((LOADING, self.loaded), (LEADING, self.led_to)):
            target = given.get(names.get(tag, ""))
            if target:
                found.append(target)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._within:
            self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in {"script", "style"} and data.strip():
            self.inline.append(data)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, client: httpx2.Client) -> httpx2.Response:
    answer = client.get(request.param)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_page_is_html_under_a_policy(page: httpx2.Response) -> None:
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_policy_lets_nothing_in_from_elsewhere(page: httpx2.Response) -> None:
    directives = dict(each.split(None, 1) for each in page.headers["content-security-policy"].split("; "))

    assert {value for values in directives.values() for value in values.split()} <= {
        "'none'",
        "'self'",
        "'unsafe-inline'",
        "data:",
        "blob:",
    }
    assert "'unsafe-inline'" not in directives.get("script-src", "")
    for name in ("base-uri", "form-action", "frame-ancestors"):
        assert directives[name] == "'none'"


def test_whatever_a_page_loads_is_here(page: httpx2.Response, client: httpx2.Client) -> None:
    loaded = [url for url in Parts(page.text).loaded if url != "data:,"]

    for url in loaded:
        assert not re.match(r"[a-z]+:|//", url), f"{url} is somewhere else"
        answer = client.get(urljoin(str(page.url), url))
        assert answer.status_code == 200, url
        assert answer.content, url


def test_nothing_on_a_page_is_inline(page: httpx2.Response) -> None:
    assert Parts(page.text).inline == []


def test_wherever_the_first_page_leads_there_is_something(client: httpx2.Client) -> None:
    home = client.get("/")

    targets = Parts(home.text).led_to

    assert set(targets) == {"docs", "redoc", "openapi.json", "health"}
    assert {client.get(urljoin(str(home.url), each)).status_code for each in targets} == {200}


def test_the_first_page_runs_no_script_and_gives_three_calls(client: httpx2.Client) -> None:
    home = client.get("/")

    assert "<script" not in home.text
    assert "script-src" not in home.headers["content-security-policy"]
    assert home.text.count("<pre>") == 3


def test_the_calls_on_the_first_page_are_offered(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    text = re.sub(r"<[^>]+>", "", client.get("/").text)

    shown = [path.replace("/id/", "/{id}/") for path in re.findall(r"address(/[\w/]+)", text)]

    assert shown == ["/artifact/model", "/artifacts", "/artifact/model/{id}/rate"]
    assert {re.sub("/model$", "/{artifact_type}", path) for path in shown} <= set(paths)


def test_our_own_files_name_no_other_host() -> None:
    for file in OWN.iterdir():
        addresses = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"']*", file.read_text())
        assert [each for each in addresses if each != "https://huggingface.co/openai/whisper-tiny"] == [], file.name


@pytest.mark.parametrize("name", sorted(VENDORED))
def test_the_vendored_files_are_there_and_kept_by_browsers(client: httpx2.Client, name: str) -> None:
    answer = client.get(f"/docs/assets/{name}")

    assert answer.content == (vendored() / name).read_bytes()
    assert answer.headers["content-type"].split(";")[0] in {"text/css", "text/javascript"}
    assert answer.headers["cache-control"] == "public, max-age=86400"


@pytest.mark.parametrize(
    "name", ["nothing.js", "home.html", "favicon.png", "..%2fpages.py", "%2e%2e", "core.py", "a/b.js"]
)
def test_no_other_file_is_an_asset(client: httpx2.Client, name: str) -> None:
    problem_of(client.get(f"/docs/assets/{name}"), 404)
