"""Static servers behind https, by httpx: certificates are verified. Imported only where the config names one."""

import asyncio
import ssl
from collections.abc import Mapping

import httpx

from ollama_locate.core.text import shown

from .access import Access
from .talk import Answer, age_of, merged


def client(timeout: float | httpx.Timeout, access: Access, more: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """No proxy from the environment, no redirects: no header goes to anybody else. `timeout` (seconds) for each step.

    `more`: headers of ours.
    """
    headers = [*merged(more or {}, access.headers)]
    alone = access.trust()
    if alone is None:
        return httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False, headers=headers)
    return httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False, headers=headers, verify=alone)


def trust(access: Access) -> ssl.SSLContext:
    """Whom the client believes, for a connection of our own."""
    return access.trust() or httpx.create_ssl_context(trust_env=False)


async def get(
    asked: httpx.AsyncClient,
    url: str,
    limit: int,
    timeout: float,  # noqa: ASYNC109 - of all
    body: bytes | None = None,
) -> Answer | str:
    """The answer, or a sentence why there is none; a POST where there is a JSON `body`.

    Answers beyond `limit` bytes are not read.
    """
    method, headers = ("GET", None) if body is None else ("POST", {"Content-Type": "application/json"})
    try:
        async with (
            asyncio.timeout(timeout),
            asked.stream(method, url, content=body, headers=headers) as response,
        ):
            said = bytearray()
            async for chunk in response.aiter_bytes():
                said += chunk
                if len(said) > limit:
                    return "https: its answer is too large"
            return Answer(response.status_code, bytes(said), age_of(response.headers.get("age", "").encode()))
    except TimeoutError:
        return f"https: no whole answer within {timeout:g} s"
    except httpx.HTTPError as error:
        return shown(f"https: {str(error) or type(error).__name__}")
