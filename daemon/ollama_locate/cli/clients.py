"""The client for one server: a static one's headers and authority are those of its table in the config."""

from collections.abc import Iterable

import httpx

from ollama_locate.core.errors import OperatorError
from ollama_locate.core.server import Kind
from ollama_locate.core.snapshot import ServerState
from ollama_locate.core.trust import static_key
from ollama_locate.edge import pull
from ollama_locate.edge.access import access

from .state import config


class Clients:
    """Of these servers; the config is read where one of them is static. Raises ConfigError."""

    def __init__(self, servers: Iterable[ServerState]) -> None:
        self._config = config() if any(one.kind == Kind.STATIC.value for one in servers) else None

    async def of(self, server: ServerState) -> httpx.AsyncClient:
        """The caller's to close. Raises OperatorError where a file of the server's cannot be used."""
        if self._config is None or server.kind != Kind.STATIC.value:
            return pull.client()
        if server.url not in (one.url for one in self._config.static if static_key(one.name) == server.key):
            raise OperatorError("the config names another URL by now; `ollama-locate refresh` has it read")
        return pull.client(await access(self._config.needs(server.key)))
