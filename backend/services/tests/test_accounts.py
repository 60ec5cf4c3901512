import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest

from backend.domain.errors import BadCredentials, NotOffered, NotSignedIn
from backend.domain.user import LOCAL
from backend.services.accounts import Accounts, SignIn
from backend.tests.factories import NOON, SetClock, without

SECRET = "a-signing-key-of-more-than-32-characters"
PASSWORD = "correct horse"
TERMS = SignIn("admin", (PASSWORD, "its other spelling"), SECRET, timedelta(hours=10))
CLAIMS: dict[str, Any] = {
    "sub": "admin",
    "jti": "1",
    "iat": NOON.timestamp(),
    "exp": (NOON + timedelta(hours=1)).timestamp(),
}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def accounts(clock: SetClock) -> Accounts:
    return Accounts(TERMS, now=clock)


def _token(claims: dict[str, Any] | None = None, key: Any = SECRET, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(CLAIMS if claims is None else claims, key, algorithm=algorithm, headers=header or None)


def _unsigned() -> str:
    parts = [
        {"alg": "none", "typ": "JWT"},
        {name: int(v) if name in {"iat", "exp"} else v for name, v in CLAIMS.items()},
    ]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def _relabelled(algorithm: str) -> str:
    """A token signed as ours are, whose header claims another algorithm."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).decode().rstrip("=")
    return f"{header}.{_token().partition('.')[2]}"


FORGED = {
    "none algorithm": _unsigned(),
    "none algorithm in capitals": _unsigned().replace("eyJhbGciOiAibm9uZSI", "eyJhbGciOiAiTk9ORSI"),
    "another key": _token(key="another-key-of-more-than-32-characters--"),
    "another algorithm, our key": _token(algorithm="HS512", key=SECRET * 2),
    "another algorithm in the header only": _relabelled("RS256"),
    "no expiry": _token(without(CLAIMS, "exp")),
    "no id": _token(without(CLAIMS, "jti")),
    "no subject": _token(without(CLAIMS, "sub")),
    "a subject that is no text": _token({**CLAIMS, "sub": 7}),
    "somebody else": _token({**CLAIMS, "sub": "root"}),
    "expired": _token({**CLAIMS, "exp": NOON.timestamp() - 1}),
    "expiring now": _token({**CLAIMS, "exp": NOON.timestamp()}),
    "an expiry that is no number": _token({**CLAIMS, "exp": "tomorrow"}),
    "signature cut off": _token().rpartition(".")[0] + ".",
    "signature of another token": ".".join([*_token().split(".")[:2], _token({**CLAIMS, "jti": "2"}).split(".")[2]]),
    "claims changed": ".".join(
        [_token().split(".")[0], _token({**CLAIMS, "sub": "x"}).split(".")[1], _token().split(".")[2]]
    ),
    "garbage": "garbage",
    "three dots": "...",
    "empty": "",
    "not ascii": "ü.ü.ü",
    "very long": "a" * 100_000,
    "critical header": _token(crit=["b64"], b64=False),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_token_that_this_registry_did_not_give_out_is_refused(accounts: Accounts, token: str) -> None:
    with pytest.raises(NotSignedIn) as refused:
        accounts.recognise(f"bearer {token}")
    assert len(token) < 10 or token not in str(refused.value)


@pytest.mark.parametrize("header", [None, "", "bearer", "Basic YWRtaW46eA==", "token x", _token()])
def test_a_header_without_the_bearer_scheme_is_refused(accounts: Accounts, header: str | None) -> None:
    with pytest.raises(NotSignedIn, match="PUT /authenticate"):
        accounts.recognise(header)


async def test_the_token_that_signing_in_gives_is_recognised(accounts: Accounts) -> None:
    header = await accounts.authenticate("admin", PASSWORD)

    caller = accounts.recognise(header)

    assert (caller.name, caller.is_admin) == ("admin", True)


@pytest.mark.parametrize("scheme", ["bearer ", "Bearer ", "BEARER  "])
async def test_the_scheme_may_be_spelt_in_any_case(accounts: Accounts, scheme: str) -> None:
    token = (await accounts.authenticate("admin", PASSWORD)).removeprefix("bearer ")

    assert accounts.recognise(scheme + token).name == "admin"


async def test_each_right_password_opens(accounts: Accounts) -> None:
    for password in TERMS.passwords:
        assert (await accounts.authenticate("admin", password)).startswith("bearer ")


async def test_two_sign_ins_give_two_tokens(accounts: Accounts) -> None:
    assert await accounts.authenticate("admin", PASSWORD) != await accounts.authenticate("admin", PASSWORD)


async def test_a_token_ends_when_its_time_is_over(accounts: Accounts, clock: SetClock) -> None:
    header = await accounts.authenticate("admin", PASSWORD)
    clock.advance(hours=10, seconds=-1)
    assert accounts.recognise(header)

    clock.advance(seconds=1)

    with pytest.raises(NotSignedIn, match="expired"):
        accounts.recognise(header)


async def test_a_token_ends_when_the_administrator_is_renamed(accounts: Accounts, clock: SetClock) -> None:
    header = await accounts.authenticate("admin", PASSWORD)
    renamed = Accounts(SignIn("chief", TERMS.passwords, SECRET, TERMS.valid_for), now=clock)

    with pytest.raises(NotSignedIn):
        renamed.recognise(header)


WRONG = {
    "wrong password": ("admin", "wrong"),
    "unknown user": ("nobody", PASSWORD),
    "both wrong": ("nobody", "wrong"),
    "empty": ("", ""),
    "password in another case": ("admin", PASSWORD.upper()),
    "password with a space more": ("admin", PASSWORD + " "),
    "name in another case": ("ADMIN", PASSWORD),
    "full-width twin of the name": ("\uff41\uff44\uff4d\uff49\uff4e", PASSWORD),
    "a megabyte": ("admin", "x" * 1_000_000),
    "a megabyte that begins right": ("admin", PASSWORD + "x" * 1_000_000),
    "NUL after the right one": ("admin", PASSWORD + "\0"),
}


@pytest.mark.parametrize(("name", "password"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_name_or_password_is_refused_without_saying_which(
    accounts: Accounts, name: str, password: str
) -> None:
    with pytest.raises(BadCredentials, match="the user name or the password is wrong"):
        await accounts.authenticate(name, password)


async def test_a_password_longer_than_is_hashed_is_refused_even_where_it_begins_right(clock: SetClock) -> None:
    longest = "p" * 1_024
    accounts = Accounts(SignIn("admin", (longest,), SECRET, timedelta(hours=1)), now=clock)

    assert await accounts.authenticate("admin", longest)
    with pytest.raises(BadCredentials):
        await accounts.authenticate("admin", longest + "p")


@pytest.mark.parametrize(("name", "password"), WRONG.values(), ids=WRONG.keys())
async def test_every_failure_costs_the_same_hashes_as_a_success(clock: SetClock, name: str, password: str) -> None:
    accounts = Accounts(TERMS, now=clock)
    checked: list[str] = []
    verify = accounts._matches
    accounts._matches = lambda hashed, tried: checked.append(hashed) or verify(hashed, tried)  # type: ignore[method-assign]

    with pytest.raises(BadCredentials):
        await accounts.authenticate(name, password)

    assert checked == accounts._hashes


async def test_an_open_registry_takes_everyone_for_the_local_user(clock: SetClock) -> None:
    accounts = Accounts(None, now=clock)

    assert accounts.recognise(None) == accounts.recognise("bearer x") == LOCAL
    with pytest.raises(NotOffered):
        await accounts.authenticate("admin", PASSWORD)


def test_neither_password_nor_key_shows_in_how_accounts_print(accounts: Accounts) -> None:
    assert PASSWORD not in repr(accounts)
    assert SECRET not in repr(TERMS)
    assert PASSWORD not in repr(TERMS)


def test_a_token_that_is_known_again_expires_all_the_same(accounts: Accounts, clock: SetClock) -> None:
    header = f"bearer {_token()}"
    first = accounts.recognise(header)

    clock.advance(minutes=59)
    assert accounts.recognise(header) == first

    clock.advance(minutes=1)
    with pytest.raises(NotSignedIn, match="expired"):
        accounts.recognise(header)


def test_another_key_does_not_know_what_the_former_one_signed(accounts: Accounts, clock: SetClock) -> None:
    header = f"bearer {_token()}"
    accounts.recognise(header)

    changed = Accounts(replace(TERMS, secret="another-key-of-more-than-32-characters--"), now=clock)

    with pytest.raises(NotSignedIn, match="not one that this registry gave out"):
        changed.recognise(header)


def test_tokens_known_again_are_bounded_and_none_is_kept_in_the_clear(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.services.accounts.MAX_RECOGNISED", 3)
    tokens = [_token(CLAIMS | {"jti": str(number)}) for number in range(5)]

    for token in tokens:
        accounts.recognise(f"bearer {token}")

    assert len(accounts._recognised) == 3
    assert accounts.recognise(f"bearer {tokens[0]}").name == "admin"
    assert not [token for token in tokens if token in repr(vars(accounts))]
