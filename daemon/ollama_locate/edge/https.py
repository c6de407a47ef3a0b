"""Static servers behind https, by httpx: certificates are verified. Imported only where the config names one."""

import contextlib

import httpx

from ollama_locate.core.constants import TAGS_MAX_BYTES, VERSION_MAX_BYTES
from ollama_locate.core.text import shown

from .talk import Answer


async def fetch(url: str, timeout: float) -> tuple[Answer | str, bytes | None]:  # noqa: ASYNC109 - httpx takes it per step
    """The answer to /api/version, or a sentence why there is none; and the body of /api/tags, if any.

    No proxy from the environment, no redirects, bodies capped.
    """
    async with httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False, follow_redirects=False) as client:
        try:
            answer = await _get(client, "/api/version", VERSION_MAX_BYTES)
        except httpx.HTTPError as error:
            return shown(f"https: {str(error) or type(error).__name__}"), None
        if answer is None:
            return "https: its answer to /api/version is too large", None
        if answer.status != httpx.codes.OK:
            return answer, None
        with contextlib.suppress(httpx.HTTPError):
            tags = await _get(client, "/api/tags", TAGS_MAX_BYTES)
            return answer, tags.body if tags is not None and tags.status == httpx.codes.OK else None
        return answer, None


async def _get(client: httpx.AsyncClient, path: str, limit: int) -> Answer | None:
    async with client.stream("GET", path) as response:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > limit:
                return None
        return Answer(response.status_code, bytes(body))
