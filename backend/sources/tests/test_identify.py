import pytest

from backend.domain.errors import InvalidInput
from backend.domain.source import ArtifactType, Host, Source
from backend.sources.identify import MAX_URL_CHARACTERS, identify

MODEL, DATASET, CODE = ArtifactType.MODEL, ArtifactType.DATASET, ArtifactType.CODE


def hub(space: ArtifactType, repo: str, revision: str | None = None, path: str = "") -> Source:
    return Source(Host.HUGGINGFACE, space, repo, revision, path)


def github(repo: str, revision: str | None = None, path: str = "") -> Source:
    return Source(Host.GITHUB, CODE, repo, revision, path)


@pytest.mark.parametrize(
    ("kind", "url", "expected"),
    [
        (MODEL, "https://huggingface.co/google-bert/bert-base-uncased", hub(MODEL, "google-bert/bert-base-uncased")),
        (MODEL, "https://huggingface.co/openai/whisper-tiny/tree/main", hub(MODEL, "openai/whisper-tiny", "main")),
        (MODEL, "https://www.huggingface.co/gpt2/", hub(MODEL, "gpt2")),
        (MODEL, "https://hf.co/gpt2?library=transformers#usage", hub(MODEL, "gpt2")),
        (MODEL, "https://HuggingFace.co/A/B", hub(MODEL, "A/B")),
        (MODEL, "https://huggingface.co/gpt2/tree/v1.0/onnx/small", hub(MODEL, "gpt2", "v1.0", "onnx/small")),
        (MODEL, "https://huggingface.co/a/b/tree/refs%2Fpr%2F1", hub(MODEL, "a/b", "refs/pr/1")),
        (MODEL, "https://huggingface.co/a/b/blob/main/README.md", hub(MODEL, "a/b", "main")),
        (MODEL, "https://huggingface.co/a/b/resolve/abc123/x/y.bin", hub(MODEL, "a/b", "abc123")),
        (MODEL, "https://huggingface.co/a/b/discussions/3", hub(MODEL, "a/b")),
        (DATASET, "https://huggingface.co/datasets/bookcorpus/bookcorpus", hub(DATASET, "bookcorpus/bookcorpus")),
        (DATASET, "https://huggingface.co/datasets/squad/", hub(DATASET, "squad")),
        (DATASET, "https://github.com/zalandoresearch/fashion-mnist", github("zalandoresearch/fashion-mnist")),
        (CODE, "https://github.com/google-research/bert.git", github("google-research/bert")),
        (CODE, "https://www.github.com/a/b/tree/dev/src/lib/", github("a/b", "dev", "src/lib")),
        (CODE, "https://github.com/a/b/blob/main/run.py", github("a/b", "main")),
        (CODE, "https://github.com/a/b/issues/7", github("a/b")),
        (
            DATASET,
            "https://WWW.Kaggle.com/datasets/hliang001/flickr2k/?select=a#x",
            Source(Host.LINK, DATASET, "https://www.kaggle.com/datasets/hliang001/flickr2k?select=a"),
        ),
        (CODE, "https://gitlab.com/a/b/", Source(Host.LINK, CODE, "https://gitlab.com/a/b")),
        (
            CODE,
            "https://huggingface.co/spaces/gradio/hello",
            Source(Host.LINK, CODE, "https://huggingface.co/spaces/gradio/hello"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("http") else "",
)
def test_a_url_is_read_as_the_place_it_names(kind: ArtifactType, url: str, expected: Source) -> None:
    assert identify(kind, url) == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://huggingface.co/Google-BERT/bert", "https://hf.co/google-bert/BERT/tree/main"),
        ("https://huggingface.co/gpt2", "https://huggingface.co/gpt2/tree/main/?x=1"),
        ("https://huggingface.co/gpt2", "https://huggingface.co/gpt2/blob/main/config.json"),
    ],
)
def test_two_spellings_of_one_place_share_a_key(first: str, second: str) -> None:
    assert identify(MODEL, first).key == identify(MODEL, second).key


HOSTILE = {
    "loopback": "https://127.0.0.1/a/b",
    "loopback short": "https://127.1/a/b",
    "loopback decimal": "https://2130706433/a/b",
    "loopback hex": "https://0x7f000001/a/b",
    "loopback hex part": "https://0x7f.0.0.1/a/b",
    "loopback octal": "https://0177.0.0.1/a/b",
    "loopback octal whole": "https://017700000001/a/b",
    "loopback trailing dot": "https://127.0.0.1./a/b",
    "any": "https://0.0.0.0/a/b",
    "zero": "https://0/a/b",
    "ten": "https://10.0.0.1/a/b",
    "carrier": "https://100.64.0.1/a/b",
    "metadata": "https://169.254.169.254/latest/meta-data/",
    "metadata decimal": "https://2852039166/latest/",
    "metadata name": "https://metadata.google.internal/computeMetadata/v1/",
    "private 172": "https://172.16.0.1/a/b",
    "private 192": "https://192.168.1.1/a/b",
    "broadcast": "https://255.255.255.255/a/b",
    "public address": "https://8.8.8.8/a/b",
    "ipv6 loopback": "https://[::1]/a/b",
    "ipv6 mapped": "https://[::ffff:127.0.0.1]/a/b",
    "ipv6 nat64": "https://[64:ff9b::7f00:1]/a/b",
    "ipv6 zone": "https://[fe80::1%25eth0]/a/b",
    "ipv6 unique local": "https://[fd00::1]/a/b",
    "localhost": "https://localhost/a/b",
    "localhost dotted": "https://api.localhost/a/b",
    "single label": "https://intranet/a/b",
    "mdns": "https://printer.local/a/b",
    "reverse": "https://1.0.0.127.in-addr.arpa/a/b",
    "user": "https://huggingface.co@evil.example/a/b",
    "user and password": "https://user:secret@huggingface.co/a/b",
    "user hides host": "https://huggingface.co%2F@127.0.0.1/a/b",
    "port": "https://huggingface.co:8443/a/b",
    "default port": "https://huggingface.co:443/a/b",
    "empty port": "https://huggingface.co:/a/b",
    "port not a number": "https://huggingface.co:80a/a/b",
    "http": "http://huggingface.co/a/b",
    "ftp": "ftp://huggingface.co/a/b",
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:6379/_INFO",
    "javascript": "javascript:alert(1)",
    "no scheme": "huggingface.co/a/b",
    "scheme relative": "//huggingface.co/a/b",
    "one slash": "https:/huggingface.co/a/b",
    "backslash": "https://huggingface.co\\@evil.example/a/b",
    "carriage return": "https://huggingface.co/a/b\r\nHost: evil.example",
    "tab": "https://hugging\tface.co/a/b",
    "nul": "https://huggingface.co/a/b\x00",
    "space": "https://huggingface.co/a b/c",
    "zero width": "https://hugging\u200bface.co/a/b",
    "full width digits": "https://\uff11\uff12\uff17.0.0.1/a/b",
    "full width dot": "https://huggingface\uff0eco/a/b",
    "cyrillic twin": "https://hugging\u0444ace.co/a/b",
    "percent in host": "https://hugging%66ace.co/a/b",
    "underscore in host": "https://my_host.example/a/b",
    "encoded dots": "https://huggingface.co/%2e%2e/%2e%2e/api",
    "dots": "https://huggingface.co/../api/whoami",
    "encoded line break": "https://huggingface.co/a/b%0d%0aX: y",
    "encoded nul": "https://huggingface.co/a/b%00",
    "encoded slash in name": "https://huggingface.co/a%2Fb/c",
    "revision climbs": "https://huggingface.co/a/b/tree/..%2F..%2Fapi",
    "empty": "",
    "too long": "https://huggingface.co/a/" + "b" * MAX_URL_CHARACTERS,
    "empty host": "https:///a/b",
}


@pytest.mark.parametrize("url", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("kind", list(ArtifactType))
def test_a_hostile_spelling_is_refused(kind: ArtifactType, url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        identify(kind, url)

    assert [error.field for error in refused.value.fields] == ["url"]


@pytest.mark.parametrize(
    "url",
    [
        "https://huggingface.co.evil.example/a/b",
        "https://evil-huggingface.co/a/b",
        "https://github.com/a/b",
        "https://gitlab.com/a/b",
        "https://huggingface.co/datasets/a/b",
        "https://huggingface.co/spaces/a/b",
        "https://huggingface.co/docs/hub",
        "https://huggingface.co/",
        "https://huggingface.co/a--b/c..d",
    ],
)
def test_a_model_is_read_from_a_model_page_only(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"https://huggingface\.co/google-bert/bert-base-uncased"):
        identify(MODEL, url)


@pytest.mark.parametrize(
    ("kind", "url", "hint"),
    [
        (DATASET, "https://huggingface.co/a/b", "is a Hugging Face model, and was sent as dataset"),
        (MODEL, "https://huggingface.co/datasets/a/b", "is a Hugging Face dataset, and was sent as model"),
        (CODE, "https://huggingface.co/datasets/a/b", "is a Hugging Face dataset, and was sent as code"),
        (CODE, "http://github.com/a/b", "write https instead"),
        (CODE, "https://github.com/torvalds", "does not name a repository of GitHub"),
        (CODE, "https://github.com/orgs/pytorch", "does not name a repository of GitHub"),
    ],
)
def test_a_refusal_says_what_to_do(kind: ArtifactType, url: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=hint):
        identify(kind, url)


def test_a_lookalike_host_is_only_ever_a_link_that_is_never_contacted() -> None:
    source = identify(CODE, "https://huggingface.co.evil.example/a/b")

    assert source.host is Host.LINK
