"""Targets at the edge: bytes on real sockets, and a state folder on the disk."""

import argparse
import asyncio
import contextlib
import io
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ollama_locate.cli import status as status_command
from ollama_locate.cli import why as why_command
from ollama_locate.core.constants import DETAIL_MAX
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.locator import Locator
from ollama_locate.core.models import is_model_name
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.snapshot import last_good
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.core.track import Settings
from ollama_locate.core.trust import Policy
from ollama_locate.edge import bus as bus_module
from ollama_locate.edge.bus import Bus
from ollama_locate.edge.cycle import Cycle, NotHttpError
from ollama_locate.edge.dial import Attempt, Connected, Wire
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.probe import Prober
from ollama_locate.edge.published import published as read_published
from ollama_locate.located.main import previous
from tests.edge.listener import Notes, at, terms

from .promises import each_line_harmless, harmless, published

LONGEST = 5.0
"""Seconds that nothing of this may take: the waits of the code itself are far shorter here."""


def state(data: bytes) -> None:
    """A state.json that somebody left: it is refused in a sentence, or all that commands print of it is harmless."""
    with _state_folder(data) as folder:
        try:
            seen = read_published(folder)
        except StateFolderError as error:
            harmless(str(error))
            return
        assert seen is not None
        for command, words in ((status_command, {}), (why_command, {"peer": None, "model": None})):
            for as_json in (False, True):
                out, err = io.StringIO(), io.StringIO()
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                    command.run(argparse.Namespace(json=as_json, **words))
                each_line_harmless(out.getvalue() + err.getvalue(), tabs=not as_json)
        mine = StateFolder(folder)
        good = previous(mine)
        mine.close()
        locator = Locator(Settings(Policy((11434,)), 30.0), 0.0, last_good(good) if good is not None else None)
        published(take(locator, locator.conclude(3.0), {"OLLAMA_ENDPOINT": "{url}"}, Clock(3.0, 1.8e9), Run(1)))


@contextlib.contextmanager
def _state_folder(data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        before = os.environ.get("OLLAMA_LOCATE_STATE_DIR")
        os.environ["OLLAMA_LOCATE_STATE_DIR"] = name
        folder = Path(name)
        for file, content in (("state.json", data), ("verdict", b"fresh\n")):
            (folder / file).write_bytes(content)
        try:
            yield folder
        finally:
            del os.environ["OLLAMA_LOCATE_STATE_DIR"]
            os.environ.update({"OLLAMA_LOCATE_STATE_DIR": before} if before is not None else {})


def bus(data: bytes) -> None:
    """What tailscaled sends on its bus: it rings for some of it, and the end is an end."""
    asyncio.run(_bus(data))


async def _bus(data: bytes) -> None:
    rings = 0

    def ring() -> None:
        nonlocal rings
        rings += 1

    async def tailscaled(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    breath = vars(bus_module)["BUS_BREATH"]
    vars(bus_module)["BUS_BREATH"] = 0.0  # its pace has tests of its own
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/bus"
            async with await asyncio.start_unix_server(tailscaled, path), asyncio.timeout(LONGEST):
                listener = Bus(ring, lambda: None, path)
                assert await listener._listen(0) in (True, False)
    finally:
        vars(bus_module)["BUS_BREATH"] = breath
    assert rings <= 2 + len(data), "it rings for what comes, and for nothing else"
    assert bool(rings) == listener.connected


class _Pair(Wire):
    """Each connect is the one end of a pair of sockets; at the other end stand the bytes, and then the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.far: list[socket.socket] = []

    def attempt(self, host: str, port: int, done: Connected) -> Attempt:  # noqa: ARG002 - there is one server only
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 - the standard library's signature
        theirs.setblocking(False)  # noqa: FBT003 - as above
        theirs.send(self._data)
        theirs.shutdown(socket.SHUT_WR)
        self.far.append(theirs)
        return _Stands(ours, done)


class _Stands(Attempt):
    def __init__(self, ours: socket.socket, done: Connected) -> None:
        self._ours, self._taken = ours, False
        self._told = asyncio.get_running_loop().call_soon(self._give, done)

    def _give(self, done: Connected) -> None:
        self._taken = True
        done(self._ours, 0, 0.001)

    def cancel(self) -> None:
        self._told.cancel()
        if not self._taken:
            self._ours.close()


def http(data: bytes) -> None:
    """What a server answers to a probe, both requests: one outcome, with a detail that can be shown."""
    asyncio.run(_http(data[:8192]))


async def _http(data: bytes) -> None:
    notes, wire = Notes(), _Pair(data)
    prober = Prober(notes, LONGEST, wire)
    prober.probe(at("100.64.0.2", 11434), terms(answer_wait=LONGEST))
    async with asyncio.timeout(LONGEST):
        await notes.until(1)
    found = notes.probes["peer"]
    await prober.stop()
    for sock in wire.far:
        sock.close()
    assert notes.events.count("finish peer") == 1
    harmless(found.detail, found.version)
    assert len(found.detail) <= DETAIL_MAX
    assert found.outcome not in (Outcome.BUSY, Outcome.SILENT, Outcome.REFUSED), "it spoke, or it hung up"
    assert not found.detail.endswith("Error"), "an error that nobody thought of"
    assert all(map(is_model_name, found.models or ()))


def forward(data: bytes) -> None:
    """A request and its answer as they pass the forward, cut anywhere: what is left to count never goes below zero."""
    client, _, server = data.partition(b"\n--\n")
    whole, pieces = Cycle(), Cycle()
    ends = [_fed(whole, client, server, 1 << 20), _fed(pieces, client, server, 7)]
    if not whole.opaque and not pieces.opaque and ends == ["", ""]:
        assert (whole.request_done, whole.answer_begun) == (pieces.request_done, pieces.answer_begun)
        assert whole.request == pieces.request


def _fed(cycle: Cycle, client: bytes, server: bytes, step: int) -> str:
    try:
        for feed, data in ((cycle.from_client, client), (cycle.from_server, server)):
            for place in range(0, len(data), step):
                feed(data[place : place + step])
                assert cycle.opaque or min(cycle.request_left, cycle.answer_left) >= 0
    except NotHttpError as error:
        return str(error) or "?"
    return ""
