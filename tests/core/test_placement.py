"""Where a model is loaded, and where it is pulled."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from ollama_locate.core.config import parse_config
from ollama_locate.core.net import Net
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.placement import answering, barred, belongs, holders, loadable
from ollama_locate.core.snapshot import ServerState
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable, parse_status
from tests.snapshots import alive, gone, snapshot
from tests.standins import tailscale
from tests.standins.tailscale import node

PEERS = (node("gpu", 2), node("nas", 3, Tags=["tag:small"]), node("pi", 4), node("bob", 5))
STATIC = '[static]\noffice = "http://192.168.1.20:11434"\nnas-again = "http://100.64.0.3:8080"\n'
EVERYBODY = {
    "n2:11434": alive(0.01, "mistral:latest"),
    "n3:11434": alive(0.02, "mistral:latest", "rare:1b"),
    "n4:11434": alive(0.05),
    "n5:11434": gone(Outcome.REFUSED),
    "local:11434": alive(0.001, "mistral:latest"),
    "static:office": alive(0.2, "mistral:latest"),
    "static:nas-again": alive(0.3, "mistral:latest"),
}
LOOK = parse_status(tailscale.raw(*PEERS))


def servers(config: str = "", probes: dict[str, Probe] | None = None) -> list[ServerState]:
    return answering(snapshot(EVERYBODY | (probes or {}), *PEERS, config=config + STATIC))


def keys(found: Sequence[ServerState]) -> list[str]:
    return [server.key for server in found]


def test_only_who_answers_is_asked_and_the_current_one_first() -> None:
    found = keys(servers('prefer = ["nas", "*", "local"]\n', {"self:11434": alive(0.001)}))
    assert found[0] == "n3:11434"
    assert "n5:11434" not in found
    assert "self:11434" not in found


def test_who_has_it() -> None:
    assert keys(holders(servers(), "rare:1b")) == ["n3:11434"]
    assert keys(holders(servers(), "none:1b")) == []
    assert (
        keys(holders(servers(), "mistral:latest", keys(holders(servers(), "mistral:latest"))[2]))[0]
        == keys(holders(servers(), "mistral:latest"))[2]
    )
    assert len(holders(servers(), "mistral:latest")) == 5


@pytest.mark.parametrize(
    ("config", "closed", "where"),
    [
        pytest.param('prefer = ["nas", "*"]\n', set(), "n3:11434", id="the first of the order"),
        pytest.param('prefer = ["nas", "gpu", "*"]\n', {"n3:11434"}, "n2:11434", id="the next where that may not pull"),
        pytest.param('prefer = ["pi", "*"]\n', set(), "n4:11434", id="an empty one that comes first in the order"),
        pytest.param('local = "first"\n', set(), "local:11434", id="this machine where it comes first"),
    ],
)
def test_where_it_belongs(config: str, closed: set[str], where: str) -> None:
    found = belongs(servers(config), frozenset(closed))
    assert found is not None
    assert found.key == where


def test_the_pinned_one_comes_before_the_order() -> None:
    found = belongs(servers('prefer = ["nas", "*"]\n'), frozenset(), "http://100.64.0.4:11434")
    assert found is not None
    assert found.key == "n4:11434"


def test_nobody_may_pull() -> None:
    everybody = servers()
    assert belongs(everybody, frozenset(keys(everybody))) is None
    assert belongs([], frozenset()) is None


EVERY_PEER = {"n2:11434", "n3:11434", "n4:11434"}


@pytest.mark.parametrize(
    ("entries", "look", "closed"),
    [
        pytest.param("[]", LOOK, set(), id="nothing is said"),
        pytest.param('["nas"]', LOOK, {"n3:11434", "static:nas-again"}, id="a name; also by its address in [static]"),
        pytest.param('["nas.tail-lab.ts.net"]', LOOK, {"n3:11434", "static:nas-again"}, id="a whole name"),
        pytest.param('["tag:small"]', LOOK, {"n3:11434", "static:nas-again"}, id="a tag"),
        pytest.param('["100.64.0.2"]', LOOK, {"n2:11434"}, id="an address"),
        pytest.param('["fd7a:115c:a1e0::2"]', LOOK, {"n2:11434"}, id="its other address"),
        pytest.param('["office"]', LOOK, {"static:office"}, id="a static server"),
        pytest.param('["192.168.0.0/16"]', LOOK, {"static:office"}, id="a static server by its network"),
        pytest.param('["local"]', LOOK, {"local:11434"}, id="this machine"),
        pytest.param('["laptop"]', LOOK, {"local:11434"}, id="this machine by its name"),
        pytest.param('["mdns"]', LOOK, set(), id="whoever mDNS found, and there is nobody"),
        pytest.param('["*"]', LOOK, set(EVERYBODY) - {"n5:11434"}, id="everybody"),
        pytest.param('["local"]', Unavailable(Absence.HUNG), {"local:11434"}, id="this machine needs no tailscale"),
        pytest.param(
            '["tag:x"]', Unavailable(Absence.HUNG), {*EVERY_PEER, "local:11434"}, id="each may be the marked one"
        ),
    ],
)
def test_whom_nothing_is_pulled_to(entries: str, look: Tailnet | Unavailable, closed: set[str]) -> None:
    no_pull = parse_config(f"[models]\nno_pull = {entries}".encode(), "c.toml").models.no_pull
    assert barred(servers(), no_pull, {Net(): look}) == closed


def test_of_several_tailnets_each_marks_its_own() -> None:
    marked = Net("home"), Net("work", "/x")
    looks = dict.fromkeys(marked, LOOK)
    keys = [replace(one, key=f"work/{one.key}", tailnet="work") for one in servers() if one.key == "n2:11434"]
    no_pull = parse_config(b"[models]\nno_pull = ['gpu']", "c.toml").models.no_pull
    assert barred(keys, no_pull, looks) == {"work/n2:11434"}


def test_nothing_is_pulled_through_a_proxy() -> None:
    made = snapshot({"n2:11434": alive()}, node("gpu", 2))
    proxied = replace(
        made,
        forward="http://127.0.0.1:11435",
        servers=tuple(replace(one, socks5="127.0.0.1:1055", withheld="needs_forward") for one in made.servers),
    )
    assert [one.key for one in loadable(made)] == ["n2:11434"]
    assert (len(answering(proxied)), loadable(proxied)) == (1, [])


@pytest.mark.parametrize(
    ("entry", "closed"),
    [
        pytest.param("mdns", True, id="all that mDNS found"),
        pytest.param("192.168.1.0/24", True, id="its network"),
        pytest.param("gpu-box", True, id="its name"),
        pytest.param("local", False, id="this machine is another one"),
        pytest.param("tag:small", False, id="nobody of the LAN has a tag"),
    ],
)
def test_nothing_is_pulled_to_one_of_the_lan(entry: str, *, closed: bool) -> None:
    key = "mdns:192.168.1.20:11434"
    url = "http://192.168.1.20:11434"
    one = replace(servers()[0], key=key, name="gpu-box.local", url=url, kind="mdns")
    no_pull = parse_config(f'[models]\nno_pull = ["{entry}"]'.encode(), "c.toml").models.no_pull
    assert barred([one], no_pull, {Net(): LOOK}) == ({key} if closed else set())
