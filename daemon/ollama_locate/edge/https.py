"""Static servers behind https, by httpx: certificates are verified. Imported only where the config names one."""

import asyncio

import httpx

from ollama_locate.core.text import shown

from .talk import Answer


def client(timeout: float) -> httpx.AsyncClient:
    """One client for all of them: no proxy from the environment, no redirects; `timeout` (seconds) for each step."""
    return httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)


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
            return Answer(response.status_code, bytes(said))
    except TimeoutError:
        return f"https: no whole answer within {timeout:g} s"
    except httpx.HTTPError as error:
        return shown(f"https: {str(error) or type(error).__name__}")
