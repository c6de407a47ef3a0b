"""What is asked of a server about its models, and how rarely: real conversations on loopback."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import h11
import pytest

from ollama_locate.core.bounds_models import LIST_RATE, PS_BELIEVED, SHOW_AGAIN, SHOW_RATE, SHOW_RETRY, SHOWS_AT_A_TIME
from ollama_locate.core.inventory import Model
from ollama_locate.edge.connect import connect
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.stock import Stock
from ollama_locate.edge.talk import Answer, Talk, TooLargeError
from tests.standins import ollama
from tests.standins.ollama import Behaviour, by_path, http, like_ollama

Scenario = Callable[["Server"], Coroutine[Any, Any, None]]


class Server:
    """A stand-in that counts what it is asked; `behaves` may be another one at any time."""

    def __init__(self, behaves: Behaviour) -> None:
        self.behaves = behaves
        self.stock = Stock()
        self.asked: list[str] = []
        self.now = 1000.0
        self._port = 0

    async def ask(self, target: str, limit: int, body: bytes | None = None) -> Answer | None:
        name = json.loads(body)["model"] if body else ""
        self.asked.append(f"{target.removeprefix('/api/')} {name}".strip())
        async with ollama.serving(self.behaves) as port:
            sock = await connect(Wire(), "127.0.0.1", port, 1.0)
            assert sock is not None
            with sock:
                try:
                    async with asyncio.timeout(1.0):
                        return await Talk(sock, "x").ask(target, limit, body)
                except (OSError, TimeoutError, TooLargeError, h11.ProtocolError):
                    return None

    async def look(self, version: str = "0.17.4") -> tuple[Model, ...] | None:
        """One probe's conversation; what is new after it."""
        await self.stock.list(self.ask, self.now)
        found = await self.stock.take(self.ask, version, self.now)
        self.now += 30.0
        return found

    def since(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked


def run(behaves: Behaviour, scenario: Scenario) -> None:
    asyncio.run(scenario(Server(behaves)))


def test_the_list_what_is_loaded_and_what_each_can_do() -> None:
    async def scenario(server: Server) -> None:
        found = await server.look()
        assert found is not None
        assert [(one.name, one.loaded, one.can, one.window) for one in found] == [
            ("a:1", False, ("tools",), 4096),
            ("b:1", True, ("completion",), 4096),
        ]
        assert server.since() == ["tags", "ps", "show b:1", "show a:1"]

    run(like_ollama("a:1", "b:1", loaded=("b:1",), can={"a:1": ["tools"]}), scenario)


def test_among_many_machines_a_check_asks_of_one_model_what_it_can_do() -> None:
    async def scenario(server: Server) -> None:
        server.stock.shows = 1
        for name in ("b:1", "a:1"):
            await server.look()
            assert server.since() == ["tags", "ps", f"show {name}"]

    run(like_ollama("a:1", "b:1", loaded=("b:1",)), scenario)


def test_nothing_new_is_nothing_and_is_asked_for_in_two_requests() -> None:
    async def scenario(server: Server) -> None:
        await server.look()
        server.since()
        assert await server.look() is None
        assert server.since() == ["tags", "ps"]

    run(like_ollama("a:1"), scenario)


def test_a_long_list_is_asked_for_rarely_unless_something_is_loaded_that_it_lacks() -> None:
    names = [f"model-with-a-long-name-{number:05}:1" for number in range(5000)]

    async def scenario(server: Server) -> None:
        started = server.now
        await server.look()
        server.since()
        assert await server.look() is not None  # the next ones' abilities
        assert "tags" not in server.since()
        server.now = started + len(ollama.tags(*names)) / LIST_RATE
        await server.look()
        assert "tags" in server.since()
        server.behaves = like_ollama(*names, "pulled:1", loaded=("pulled:1",))
        await server.look()
        await server.look()
        assert server.since().count("tags") == 1
        assert any(one.name == "pulled:1" for one in server.stock.models or ())

    run(like_ollama(*names), scenario)


def test_abilities_are_asked_for_a_few_at_a_time() -> None:
    async def scenario(server: Server) -> None:
        await server.look()
        assert sum(one.startswith("show") for one in server.since()) == SHOWS_AT_A_TIME
        found = await server.look()
        assert found is not None
        assert all(one.can == ("completion",) for one in found)
        assert sum(one.startswith("show") for one in server.since()) == 4

    run(like_ollama(*(f"m{number:02}:1" for number in range(SHOWS_AT_A_TIME + 4))), scenario)


def test_another_version_of_ollama_is_asked_again() -> None:
    async def scenario(server: Server) -> None:
        await server.look("0.17.4")
        server.since()
        await server.look("0.18.0")
        assert "show a:1" in server.since()

    run(like_ollama("a:1"), scenario)


def test_another_digest_is_asked_again() -> None:
    async def scenario(server: Server) -> None:
        await server.look()
        server.since()
        server.behaves = like_ollama("a:1", tags_body=ollama.tags("a:1", digest="f" * 64))
        await server.look()
        assert "show a:1" in server.since()

    run(like_ollama("a:1", tags_body=ollama.tags("a:1", digest="e" * 64)), scenario)


def test_a_model_that_is_listed_and_not_found_is_asked_for_again_later() -> None:
    listed = ollama.tags("a:1", "ghost:1")

    async def scenario(server: Server) -> None:
        found = await server.look()
        assert found is not None
        assert [(one.name, one.absent) for one in found] == [("a:1", False), ("ghost:1", True)]
        server.since()
        assert await server.look() is None
        assert server.since() == ["tags", "ps"]
        server.now += SHOW_AGAIN
        server.behaves = like_ollama("a:1", "ghost:1", tags_body=listed)
        found = await server.look()
        assert found is not None
        assert not any(one.absent for one in found)

    run(like_ollama("a:1", tags_body=listed), scenario)


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(http("500 Oh", b""), id="it fails"),
        pytest.param(http("404 Not Found", b"404 page"), id="it has no such call"),
        pytest.param(http("200 OK", b"<html>"), id="it is no Ollama"),
    ],
)
def test_a_model_that_cannot_be_described_keeps_none_of_the_others_from_it(show: bytes) -> None:
    tags = http("200 OK", ollama.tags("a:1", "b:1"))

    async def scenario(server: Server) -> None:
        found = await server.look()
        assert found is not None
        assert [one.can for one in found] == [None, None]
        assert [one for one in server.since() if one.startswith("show")] == ["show a:1", "show b:1"]
        assert await server.look() is None
        assert server.since() == ["tags", "ps"]
        server.now += SHOW_AGAIN
        await server.look()
        assert "show a:1" in server.since()

    run(by_path(tags=tags, ps=http("404 Not Found", b""), show=show), scenario)


@pytest.mark.parametrize(
    "show",
    [pytest.param(b"", id="it hangs up"), pytest.param(http("200 OK", b" " * 3_000_000), id="too large an answer")],
)
def test_who_does_not_answer_is_asked_again_after_some_minutes(show: bytes) -> None:
    tags = http("200 OK", ollama.tags("a:1", "b:1"))

    async def scenario(server: Server) -> None:
        await server.look()
        assert [one for one in server.since() if one.startswith("show")] == ["show a:1"]
        assert await server.look() is None
        assert server.since() == ["tags", "ps"]
        server.now += SHOW_RETRY
        await server.look()
        assert "show a:1" in server.since()

    run(by_path(tags=tags, ps=http("404 Not Found", b""), show=show), scenario)


def test_one_that_is_absent_does_not_delay_the_others() -> None:
    names = [f"m{number:03}:1" for number in range(3 * SHOWS_AT_A_TIME)]

    async def scenario(server: Server) -> None:
        for _ in range(4):
            await server.look()
        assert sum(one.startswith("show m") for one in server.since()) == len(names)

    run(like_ollama(*names, tags_body=ollama.tags("a-ghost:1", *names)), scenario)


def test_long_descriptions_are_asked_for_rarely() -> None:
    tags, show = http("200 OK", ollama.tags("a:1", "b:1")), http("200 OK", b"{}" + b" " * 1_000_000)

    async def scenario(server: Server) -> None:
        server.stock.shows = 1
        await server.look()
        await server.look()
        assert [one for one in server.since() if one.startswith("show")] == ["show a:1"]
        server.now += 1_000_000 / SHOW_RATE
        await server.look()
        assert "show b:1" in server.since()

    run(by_path(tags=tags, ps=http("200 OK", ollama.tags()), show=show), scenario)


def test_two_ollamas_behind_one_address_do_not_make_each_other_forgotten() -> None:
    async def scenario(server: Server) -> None:
        for version in ("1", "2", "1", "2"):
            await server.look(version)
        assert server.since().count("show a:1") == 2
        await server.look("3")
        await server.look("1")
        assert server.since().count("show a:1") == 2

    run(like_ollama("a:1"), scenario)


def test_a_list_that_changes_while_models_are_described_is_not_overwritten() -> None:
    async def scenario(server: Server) -> None:
        async def ask(target: str, limit: int, body: bytes | None = None) -> Answer | None:
            if target == "/api/show":
                server.behaves = like_ollama("a:1")
                await server.stock.list(server.ask, server.now + 1e6)
            return await server.ask(target, limit, body)

        await server.stock.list(server.ask, server.now)
        assert await server.stock.take(ask, "1", server.now) is None
        found = await server.stock.take(server.ask, "1", server.now)
        assert found is not None
        assert [one.name for one in found] == ["a:1"]

    run(like_ollama("a:1", "gone:1"), scenario)


def test_what_stays_loaded_without_a_file_makes_the_list_be_read_once() -> None:
    async def scenario(server: Server) -> None:
        for _ in range(4):
            await server.look()
        assert server.since().count("tags") == 5

    run(like_ollama("a:1", loaded=("deleted:1",)), scenario)


def test_what_is_loaded_stays_known_while_the_server_does_not_say() -> None:
    tags, ps = http("200 OK", ollama.tags("a:1")), http("200 OK", ollama.tags("a:1"))
    show = http("200 OK", b"{}")

    async def scenario(server: Server) -> None:
        await server.look()
        server.behaves = by_path(tags=tags, show=show)
        for _ in range(PS_BELIEVED - 1):
            assert await server.look() is None
        found = await server.look()
        assert found is not None
        assert not found[0].loaded, "for so long nobody has said it"
        server.behaves = by_path(tags=tags, ps=ps, show=show)
        assert await server.look() is not None
        server.behaves = by_path(tags=tags, show=show, ps=http("200 OK", ollama.tags()))
        found = await server.look()
        assert found is not None
        assert not found[0].loaded

    run(by_path(tags=tags, ps=ps, show=show), scenario)


@pytest.mark.parametrize("tags", [b"", http("500 Oh", b""), http("200 OK", b"[]")])
def test_without_a_list_nothing_more_is_asked(tags: bytes) -> None:
    async def scenario(server: Server) -> None:
        assert await server.look() is None
        assert server.since() == ["tags"]

    run(by_path(tags=tags), scenario)


def test_two_conversations_at_once_do_not_ask_twice() -> None:
    async def scenario(server: Server) -> None:
        await server.stock.list(server.ask, server.now)
        server.since()
        first, second = await asyncio.gather(*(server.stock.take(server.ask, "1", server.now) for _ in range(2)))
        assert (first is None, second is None) == (False, True)
        assert server.since() == ["ps", "show a:1"]

    run(like_ollama("a:1"), scenario)


def test_what_an_earlier_daemon_knew_is_not_asked_again() -> None:
    async def scenario(server: Server) -> None:
        server.stock.recall([Model("a:1", can=("vision",), window=7), Model("b:1"), Model("c:1", absent=True)], "1")
        found = await server.look("1")
        assert found is not None
        assert found[0].can == ("vision",)
        assert server.since() == ["tags", "ps", "show b:1"]

    run(like_ollama("a:1", "b:1"), scenario)


def test_a_cloud_model_is_listed_and_not_asked_about() -> None:
    async def scenario(server: Server) -> None:
        found = await server.look()
        assert found is not None
        assert found[0].cloud
        assert server.since() == ["tags", "ps"]

    run(like_ollama("a:1", tags_body=ollama.tags("a:1", remote_host="ollama.com")), scenario)
