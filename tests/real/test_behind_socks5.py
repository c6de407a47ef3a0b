"""A second tailnet on the laptop, by a tailscaled without a network interface: through its SOCKS5 proxy.

Both control servers give out the same addresses, as two Headscales would: only the proxy tells them apart.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.real.ollama import PORT, Ollama, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.conftest import Daemons
    from tests.real.figures import Figures
    from tests.real.lab import Lab
    from tests.real.located import Located
    from tests.real.tailnet import Node

pytestmark = pytest.mark.real

SOCKS5 = "127.0.0.1:1055"
FORWARD = "127.0.0.1:11435"
URL = f"http://{FORWARD}"
KILLED = 1.0


class Work(NamedTuple):
    """The other tailnet: this machine in it, and two that have an Ollama."""

    laptop: Node
    desk: Ollama
    shelf: Ollama

    @property
    def entry(self) -> str:
        """What the config says of it."""
        return f'{{ name = "work", socket = "{self.laptop.socket}", socks5 = "{SOCKS5}" }}'


@pytest.fixture(scope="module")
def work(lab: Lab) -> Iterator[Work]:
    with lab.tailnet.beside("work", 1) as tailnet:
        laptop = tailnet.add("laptop", at=lab.laptop, userspace=True, socks5=SOCKS5)
        ollamas = []
        for name in ("desk", "shelf"):
            node = tailnet.add(name)
            ollamas.append(Ollama(node, lab.tailnet.programs / "ollama", bind=node.ip))
            ollamas[-1].start()
            ollamas[-1].create("mistral")
            laptop.reaches(node, "direct")
        yield Work(laptop, *ollamas)
        laptop.stop_tailscaled()


def behind(lab: Lab, work: Work, *homes: str) -> dict[str, str]:
    """The config for these tailnets; the command is Tailscale's own, as each look says which socket."""
    entries = ", ".join((*homes, work.entry))
    return {"tailscale": f'"{lab.laptop.cli}"', "tailscale_socket": "", "tailnet": f"[{entries}]", "local": '"off"'}


def generated(lab: Lab, url: str) -> str:
    """Let the model at this address speak, as a program on the laptop would."""
    body = {"model": "mistral", "prompt": "a b", "stream": False, "options": {"num_predict": 8, "temperature": 0}}
    return str(json.loads(request(lab.laptop, f"{url}/api/generate", body, within=60) or "{}").get("response", ""))


def asks(located: Located, name: str) -> float:
    """Wait until this server is the one, as its state says; return when that was."""
    located.shows(lambda state: (state.decision.name, state.decision.verdict) == (name, "fresh"), 30, name)
    return time.time()


def test_a_server_behind_the_proxy_answers_at_the_stable_address(
    lab: Lab, daemons: Daemons, work: Work, figures: Figures
) -> None:
    located = daemons(**behind(lab, work), prefer='["desk", "*"]', forward=f'{{ listen = "{FORWARD}" }}')
    started = located.start()
    figures.seconds("behind a proxy: start -> desk", asks(located, "desk") - started, 2.0)
    assert located.endpoint() == URL
    located.shows(lambda state: state.decision.sentinel == "socks5", 15, "a connection is held through the proxy")
    located.shows(lambda state: state.server("shelf").health == "up", 15, "the other one is known")
    assert generated(lab, URL).strip()
    assert request(lab.laptop, f"http://{work.desk.bind}:{PORT}/api/version", within=2) is None or (
        work.desk.bind in {node.ip for node in lab.tailnet.nodes.values()}
    ), "the kernel does not lead there: at most to whoever has this address at home"
    event = time.time()
    work.desk.kill()
    try:
        figures.seconds("behind a proxy: killed -> the next", asks(located, "shelf") - event, KILLED)
        assert generated(lab, URL).strip()
    finally:
        work.desk.start()


def test_without_the_stable_address_it_is_found_and_not_published(lab: Lab, daemons: Daemons, work: Work) -> None:
    located = daemons(**behind(lab, work), prefer="[]")
    located.start()
    state = located.shows(lambda state: state.server("desk").health == "up", 15, "it is found")
    assert (state.server("desk").standing, state.decision.verdict) == ("needs_forward", "none")
    assert "`[forward]` with `listen` in the config" in located.cli("why").stdout


def test_two_tailnets_with_the_same_addresses(lab: Lab, daemons: Daemons, work: Work) -> None:
    home = f'{{ name = "home", socket = "{lab.laptop.socket}" }}'
    located = daemons(**behind(lab, work, home), forward=f'{{ listen = "{FORWARD}" }}')
    assert {work.desk.bind, work.shelf.bind} & {node.ip for node in lab.tailnet.nodes.values()}, "they overlap"
    located.ready(lab.url("gpu"))
    state = located.shows(lambda state: state.server("desk").health == "up", 15, "work's are known as well")
    assert {peer.name: peer.reason for peer in state.rejected} == {"bob": "other_user", "guest": "shared_in"}
    assert located.cli("pin", "desk").stdout == URL + "\n"
    assert generated(lab, URL).strip()
    assert located.cli("unpin").stdout == lab.url("gpu") + "\n"
    work.laptop.stop_tailscaled()
    try:
        located.shows(lambda state: state.server("desk").standing == "unreachable", 30, "work is away")
        asks(located, "gpu")
    finally:
        work.laptop.start_tailscaled()
    located.shows(lambda state: state.server("desk").health == "up", 60, "work is back")
