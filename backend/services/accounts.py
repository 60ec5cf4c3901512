"""Who may come in: the administrator's password, and the tokens it is exchanged for."""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

import anyio.to_thread
import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from backend.domain.errors import BadCredentials, NotOffered, NotSignedIn
from backend.domain.ids import new_id
from backend.domain.user import LOCAL, User
from backend.services.clock import Clock

ALGORITHM = "HS256"
MAX_PASSWORD_LENGTH = 1_024
"""Argon2 reads all it is given; a megabyte of password is an attack on the processor."""
SCHEME = "bearer "
MAX_RECOGNISED = 4_096
"""Tokens that are known again without checking their signature; the one that came first makes room."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """The terms of signing in: the administrator's name, every password that is right, the signing key, validity."""

    admin_name: str
    passwords: Sequence[str] = field(repr=False)
    secret: str = field(repr=False)
    valid_for: timedelta


class Accounts:
    """Recognises callers. With `sign_in` None the registry runs open and everyone is `LOCAL`."""

    def __init__(self, sign_in: SignIn | None, *, now: Clock) -> None:
        self._sign_in = sign_in
        self._now = now
        self._recognised: OrderedDict[bytes, tuple[User, float]] = OrderedDict()
        """Digest of a token whose signature was checked -> its caller, and when it expires, in POSIX seconds."""
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

    @cached_property
    def _hashes(self) -> list[str]:
        """Hashes of the right passwords, made at the first sign-in; configuration is not kept in the clear."""
        return [self._hasher.hash(password) for password in (self._sign_in.passwords if self._sign_in else ())]

    async def authenticate(self, name: str, password: str) -> str:
        """Exchange a name and password for `bearer <token>`; an unknown name takes as long as a wrong password.

        Raises:
            NotOffered: the registry runs open.
            BadCredentials: the name or the password is wrong.
        """
        if self._sign_in is None:
            raise NotOffered("this registry runs open; no token is needed")
        right = await anyio.to_thread.run_sync(self._any_matches, password[:MAX_PASSWORD_LENGTH])
        known = hmac.compare_digest(name.encode(), self._sign_in.admin_name.encode())
        if not (right and known and len(password) <= MAX_PASSWORD_LENGTH):
            raise BadCredentials("the user name or the password is wrong")
        now = self._now()
        claims = {"sub": name, "jti": new_id(), "iat": now, "exp": now + self._sign_in.valid_for}
        return SCHEME + jwt.encode(claims, self._sign_in.secret, algorithm=ALGORITHM)

    def _any_matches(self, password: str) -> bool:
        """Check against every hash, so that the time does not tell which one was nearly right."""
        return sum(self._matches(hashed, password) for hashed in self._hashes) > 0

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except VerifyMismatchError:
            return False

    def recognise(self, header: str | None) -> User:
        """The caller behind an `X-Authorization` or `Authorization` header.

        Raises:
            NotSignedIn: sign-in is on, and the header is missing, malformed, expired or not ours.
        """
        if self._sign_in is None:
            return LOCAL
        if header is None or not header.lower().startswith(SCHEME):
            raise NotSignedIn("send the token from PUT /authenticate as X-Authorization: bearer <token>")
        caller, expires_at = self._known_or_verified(header[len(SCHEME) :].strip(), self._sign_in)
        if expires_at <= self._now().timestamp():
            raise NotSignedIn("the token has expired; sign in again")
        return caller

    def _known_or_verified(self, token: str, terms: SignIn) -> tuple[User, float]:
        """Whose token this is and until when; a signature is checked once, which takes longer than a read does.

        The memory lives and dies with the key and the names it was checked against, and holds no token.
        """
        digest = hashlib.sha256(token.encode()).digest()
        known = self._recognised.get(digest)
        if known is None:
            known = self._recognised[digest] = _verified(token, terms)
            if len(self._recognised) > MAX_RECOGNISED:
                self._recognised.popitem(last=False)
        return known


def _verified(token: str, terms: SignIn) -> tuple[User, float]:
    """Whose token this is and until when, by its signature.

    Raises:
        NotSignedIn: it was not signed here, or not for somebody who is known here.
    """
    try:
        claims = jwt.decode(
            token,
            terms.secret,
            algorithms=[ALGORITHM],
            options={"require": ["exp", "sub", "jti"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise NotSignedIn("the token is not one that this registry gave out") from None
    if not isinstance(claims["exp"], int | float):
        raise NotSignedIn("the token has expired; sign in again")
    if claims["sub"] != terms.admin_name:
        raise NotSignedIn("the token's user is not known here any more")
    return User(name=claims["sub"], is_admin=True), claims["exp"]
