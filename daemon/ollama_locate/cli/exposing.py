"""What `expose` and `unexpose` do: look, say, ask, do, verify."""

import argparse
import asyncio
import time
from pathlib import Path
from typing import Final

from ollama_locate.core import expose
from ollama_locate.core.bounds import EXPOSE_VERIFY
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.expose import Facts, Situation
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.tailnet import Peer, Unavailable
from ollama_locate.core.text import shown
from ollama_locate.edge import exposed
from ollama_locate.edge.exposed import Done
from ollama_locate.edge.folders import state_folder

from .confirm import confirmed
from .show import line, note
from .state import config

_GRANTS: Final = 'the tailnet\'s policy file, under "grants" (https://login.tailscale.com/admin/acls)'


def publish(args: argparse.Namespace) -> int:
    """Look, say, ask, do, verify."""
    settings = config()
    port = args.port or settings.ports[0]
    found = asyncio.run(exposed.facts(settings.tailscale, port))
    situation = expose.judge(found)
    if isinstance(found.look, Unavailable):
        raise OperatorError(f"{found.look.reason.text}; then type this again")
    me = found.look.self
    if not me.addresses:
        raise OperatorError("Tailscale has given this machine no address yet; type this again in a moment")
    if situation is not Situation.FREE:
        return _say(situation, found, me)
    words = expose.serve_words(port)
    _say_who(me, port)
    line(f"To do:  tailscale {' '.join(words)}")
    line()
    if not confirmed("Publish it?", yes=args.yes):
        note("nothing was changed")
        return 1
    folder, what = state_folder(), Done(port, expose.target(port))
    exposed.remember(folder, what)
    try:
        asyncio.run(exposed.change(settings.tailscale, words))
    except OperatorError:
        exposed.forget(folder, what)
        raise
    if (heard := asyncio.run(_until_alive(me.addresses[0], port))) is not Outcome.ALIVE:
        raise OperatorError(
            f"it was published, and at {_url(me, port)} it {heard.text}; `ollama-locate unexpose` takes it back"
        )
    line(f"Published: {_url(me, port)} answers as Ollama. `ollama-locate unexpose` takes it back.")
    line("On your other machines: ollama-locate refresh")
    return 0


def take_back(args: argparse.Namespace) -> int:
    """Undo exactly what was done here."""
    folder, executable = state_folder(), config().tailscale
    every = exposed.done(folder)
    if not every:
        note("`expose` has published nothing on this machine; `tailscale serve status` shows what else is served")
        return 0
    return max(_take_back(what, folder, executable, yes=args.yes) for what in every)


def _take_back(what: Done, folder: Path, executable: str, *, yes: bool) -> int:
    now = asyncio.run(exposed.serving(executable, what.port))
    if now != what.target:
        exposed.forget(folder, what)
        line(f"port {what.port} is {f'served to {now} by now, and left alone' if now else 'not served any more'}")
        return 0
    words = expose.off_words(what.port)
    line(f"To do:  tailscale {' '.join(words)}")
    if not confirmed("Take it back?", yes=yes):
        note("nothing was changed")
        return 1
    asyncio.run(exposed.change(executable, words))
    exposed.forget(folder, what)
    line(f"port {what.port} is published no longer; Ollama itself runs on")
    return 0


def _say(situation: Situation, found: Facts, me: Peer) -> int:
    """There is nothing to publish: why, and what to do instead."""
    port, url = found.port, _url(me, found.port)
    if situation is Situation.NO_OLLAMA:
        behind = f" Port {port} is served by tailscale already, and what is behind it is dead." if found.serves else ""
        raise OperatorError(f"no Ollama answers on 127.0.0.1:{port}.{behind} Start it: ollama serve")
    if situation is Situation.TAKEN:
        raise OperatorError(
            f"`tailscale serve` already sends port {port} to {found.serves}: that is left alone. "
            f"To free it: tailscale serve --tcp={port} off"
        )
    if situation is Situation.USERSPACE:
        raise OperatorError(
            "tailscaled runs without a network interface here (a container?), so that Ollama would answer 403 to what "
            "it forwards. Start Ollama with OLLAMA_HOST=0.0.0.0 inside that container instead"
        )
    line(f"{url} answers as Ollama: your tailnet reaches it already.")
    if situation is Situation.OPEN:
        line(
            "But Ollama listens on every address of this machine: everybody in the same network reaches it too, unless "
            "a firewall forbids it. To end that, let it listen on 127.0.0.1, and type this again:"
        )
        line("  Linux: sudo systemctl edit ollama     and take OLLAMA_HOST out; then: sudo systemctl restart ollama")
        line("  macOS: launchctl unsetenv OLLAMA_HOST     and start Ollama again; or its setting `Expose to network`")
    line()
    _say_who(me, port)
    return 0


def _say_who(me: Peer, port: int) -> None:
    line(
        "Who can reach it: whoever your tailnet's access rules let reach port "
        f"{port} of {shown(me.name) or me.addresses[0]}; if you never changed them, every machine of every user of the "
        "tailnet. Ollama has no login: they may use, pull and delete models. To let in your own machines only, write "
        f"in {_GRANTS}:"
    )
    line(f"  {expose.grant(me, port)}")
    line()


async def _until_alive(host: str, port: int) -> Outcome:
    """Tailscaled takes a moment to listen."""
    ends = time.monotonic() + EXPOSE_VERIFY
    while True:
        heard = await exposed.answers(host, port) or Outcome.SILENT
        if heard is Outcome.ALIVE or time.monotonic() > ends:
            return heard
        await asyncio.sleep(0.1)


def _url(me: Peer, port: int) -> str:
    return f"http://{me.addresses[0]}:{port}"
