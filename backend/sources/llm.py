"""A language model behind an OpenAI-compatible chat endpoint: one question, one answer, under a cap and a deadline."""

import asyncio
import json
from typing import Annotated, Any

import httpx2
from pydantic import BaseModel, Field, ValidationError

from backend.domain.errors import UpstreamFailed, UpstreamRefused
from backend.sources.answers import Passing, place, read_body

MAX_ANSWER_BYTES = 64_000
MAX_TOKENS = 400
"""Tokens of an answer: two scores with a sentence each take a quarter of it."""

AT_ONCE = 4
_OK, _REDIRECT, _UNAUTHORISED, _FORBIDDEN, _TOO_MANY = 200, 300, 401, 403, 429


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]


class ChatModel:
    """Asks one model at one endpoint, the only place it ever contacts and the only one its key is sent to.

    Redirects are not followed and proxies from the environment not used. `timeout_s` covers a whole question.
    """

    def __init__(self, base_url: str, model: str, key: str | None = None, *, timeout_s: float = 20.0) -> None:
        self.url = f"{base_url.rstrip('/')}/chat/completions"
        self.model = model
        self._authorisation = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout_s = timeout_s
        self._client: httpx2.AsyncClient | None = None
        self._places = asyncio.Semaphore(AT_ONCE)

    async def ask(self, instructions: str, question: str) -> str:
        """The text of the model's answer.

        Raises:
            UpstreamRefused: the endpoint does not take the key.
            UpstreamFailed: it cannot be reached, failed, took too long, or answered nonsense.
        """
        messages = [{"role": "system", "content": instructions}, {"role": "user", "content": question}]
        body = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": MAX_TOKENS, "stream": False}
        try:
            async with asyncio.timeout(self._timeout_s), self._places:
                return _text(await self._post(body), self.url)
        except TimeoutError:
            raise UpstreamFailed(f"{place(self.url)} did not answer within {self._timeout_s:g} s") from None

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _post(self, body: dict[str, Any]) -> bytes:
        # Characters that JSON escapes cannot fail to encode, whatever the card holds.
        sent = json.dumps(body).encode("ascii")
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **self._authorisation}
        try:
            async with self._open_client().stream("POST", self.url, content=sent, headers=headers) as response:
                _raise_for(response.status_code, self.url)
                return await read_body(response, MAX_ANSWER_BYTES)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:  # ValueError: a key no header can hold
            raise UpstreamFailed(f"{place(self.url)} cannot be reached: {type(error).__name__}") from None
        except Passing as passing:
            raise passing.error from None

    def _open_client(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=self._timeout_s, follow_redirects=False, trust_env=False)
        return self._client


def _raise_for(status: int, url: str) -> None:
    if status in {_UNAUTHORISED, _FORBIDDEN}:
        raise UpstreamRefused(f"{place(url)} refused the key ({status})", status)
    if _REDIRECT <= status < _REDIRECT + 100:
        raise UpstreamFailed(f"{place(url)} redirects, which is not followed", status)
    if status != _OK:
        raise UpstreamFailed(f"{place(url)} answered {status}", status, rate_limited=status == _TOO_MANY)


def _text(body: bytes, url: str) -> str:
    try:
        return _Completion.model_validate_json(body).choices[0].message.content
    except ValidationError:
        raise UpstreamFailed(f"{place(url)} answered something that is not a chat completion") from None
