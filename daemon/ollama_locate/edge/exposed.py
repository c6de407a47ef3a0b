"""What `expose` looks at, and what it has done: expose.json in the state folder, for `unexpose`."""

import asyncio
import time
from pathlib import Path
from typing import Final

import msgspec

from ollama_locate.core import expose
from ollama_locate.core.bounds import EXPOSE_COMMAND, EXPOSE_CONNECT, REQUEST_MAX_BYTES, SCHEMA
from ollama_locate.core.errors import OperatorError, StateFolderError
from ollama_locate.core.expose import LOOPBACK, Facts
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.tailnet import Absence, Unavailable
from ollama_locate.core.text import shown

from . import tailscale
from .dial import Wire
from .examine import examine
from .files import StateFolder, read
from .network import way_out

NAME: Final = "expose.json"


class Done(msgspec.Struct, frozen=True):
    """What `expose` has set: this port of the tailnet is sent to `target`."""

    port: int
    target: str


class _Record(msgspec.Struct, frozen=True):
    ports: tuple[Done, ...] = ()
    schema: int = SCHEMA


async def facts(executable: str, port: int) -> Facts:
    """Look at the tailnet, at what is served, and at what answers at each of this machine's addresses."""
    look, _ = await tailscale.look(executable)
    served = "" if isinstance(look, Unavailable) else await serving(executable, port)
    own = look.self.addresses[0] if not isinstance(look, Unavailable) and look.self.addresses else None
    network = (await asyncio.to_thread(way_out))[0] or None
    here, tailnet, nearby = await asyncio.gather(
        answers(LOOPBACK, port, f"localhost:{port}"),
        answers(own, port),
        answers(network if network != own else None, port),
    )
    return Facts(look, here or Outcome.SILENT, tailnet, nearby, served, port)


async def answers(host: str | None, port: int, named: str = "") -> Outcome | None:
    """What is at this address of this machine; None where there is no such address."""
    if host is None:
        return None
    authority = named or (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return (await examine(Wire(), (host, port), authority, EXPOSE_CONNECT, time.time())).outcome


async def serving(executable: str, port: int) -> str:
    """What `tailscale serve` does with the port; empty where it does nothing. Raises OperatorError if it cannot say."""
    said = await tailscale.command(executable, "serve", "status", "--json", deadline=EXPOSE_COMMAND)
    if isinstance(said, Unavailable):
        raise OperatorError(f"tailscale cannot be asked what it serves: {said.reason.text}")
    if said.code:
        text = shown((said.err or said.out).decode(errors="replace"))
        raise OperatorError(f"tailscale cannot be asked what it serves: {text or f'exit code {said.code}'}")
    try:
        return expose.serves(said.out, port)
    except ValueError as error:
        raise OperatorError(str(error)) from None


async def change(executable: str, words: tuple[str, ...]) -> None:
    """Have tailscaled serve the port, or not any more. Raises OperatorError with tailscale's own words."""
    said = await tailscale.command(executable, *words, deadline=EXPOSE_COMMAND)
    typed = f"tailscale {' '.join(words)}"
    if isinstance(said, Unavailable):
        why = "the command is not there" if said.reason is Absence.NOT_INSTALLED else said.detail or said.reason.text
        raise OperatorError(f"`{typed}` failed: {why}")
    if said.code:
        text = shown((said.err or said.out).decode(errors="replace"))
        mend = "; type once: sudo tailscale set --operator=$USER" if "denied" in text.lower() else ""
        raise OperatorError(f"`{typed}` failed: {text or f'exit code {said.code}'}{mend}")


def done(folder: Path) -> tuple[Done, ...]:
    """What `expose` has done. Raises StateFolderError."""
    data = read(folder, NAME, REQUEST_MAX_BYTES)
    if data is None:
        return ()
    try:
        return msgspec.json.decode(data, type=_Record).ports
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise StateFolderError(f"{folder / NAME} cannot be read; remove it") from None


def remember(folder: Path, what: Done) -> None:
    """Note it beside what else was done. Raises StateFolderError."""
    _write(folder, (*(one for one in done(folder) if one.port != what.port), what))


def forget(folder: Path, what: Done) -> None:
    """It is not so any more. Raises StateFolderError."""
    _write(folder, tuple(one for one in done(folder) if one != what))


def _write(folder: Path, ports: tuple[Done, ...]) -> None:
    if not ports:
        (folder / NAME).unlink(missing_ok=True)
        return
    state = StateFolder(folder)
    try:
        state.publish({NAME: msgspec.json.encode(_Record(ports)) + b"\n"}, durable=(NAME,))
    finally:
        state.close()
