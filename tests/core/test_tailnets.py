"""Several tailnets, judged together: whose keys, whose rules, and an address that two of them use."""

import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.core.net import Net, net_of
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.socks5 import read_proxy
from ollama_locate.core.tailnet import Tailnet, parse_status
from ollama_locate.core.tailnets import judge_all
from tests.standins.tailscale import node

from .world import PLAIN, tailnet

HOME, WORK = Net("home"), Net("work", "/run/work.sock")
BEHIND = replace(WORK, socks5=("127.0.0.1", 1055))
ALICE = 7


def mine(name: str, number: int, **more: Any) -> dict[str, Any]:
    return node(name, number, **more)


def at_work(*peers: dict[str, Any], **more: Any) -> Tailnet:
    """A tailnet in which this user has another number, and this machine another address."""
    me = node("laptop", 99, UserID=ALICE)
    return tailnet(*(peer | {"UserID": ALICE} for peer in peers), me=me, **more)


def judged(home: Tailnet, work: Tailnet, net: Net = WORK, **more: Any) -> tuple[set[str], dict[str, str]]:
    """The keys of the servers, and why which peer is left alone."""
    policy = replace(PLAIN, use_local=False, nets=(HOME, net), **more)
    servers, rejected = judge_all([(HOME, home), (net, work)], policy)
    return {one.key for one in servers}, {f"{one.net}/{one.peer.name}": one.reason.word for one in rejected}


def test_the_same_ids_in_two_tailnets_are_two_servers() -> None:
    found, left = judged(tailnet(mine("gpu", 2)), at_work(mine("gpu", 12, ID="n2")))
    assert found == {"home/n2:11434", "work/n2:11434"}
    assert left == {}


def test_a_key_says_whose_it_is() -> None:
    keys = (HOME.key("n2:11434"), Net().key("n2:11434"), "local:11434", "static:den")
    assert [net_of(key) for key in keys] == ["home", "", "", ""]


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        pytest.param("", None, id="none"),
        pytest.param("127.0.0.1:1055", ("127.0.0.1", 1055), id="IPv4"),
        pytest.param("[::1]:1055", ("::1", 1055), id="IPv6"),
    ],
)
def test_a_proxy_is_read_as_it_was_written(text: str, proxy: tuple[str, int] | None) -> None:
    assert read_proxy(text) == proxy


SIX = {"TailscaleIPs": ["fd7a:115c:a1e0::7"]}
TWICE = "address_twice"


@pytest.mark.parametrize(
    ("home", "work", "net", "left"),
    [
        pytest.param(mine("gpu", 2), mine("box", 3), WORK, {}, id="all are different"),
        pytest.param(
            mine("gpu", 2), mine("box", 2), WORK, {"home/gpu": TWICE, "work/box": TWICE}, id="neither is asked"
        ),
        pytest.param(
            mine("gpu", 2),
            mine("bobs", 2, UserID=2),
            WORK,
            {"home/gpu": TWICE, "work/bobs": "other_user"},
            id="somebody else's machine, which is never asked, may be what the kernel leads to",
        ),
        pytest.param(mine("gpu", 99), mine("box", 3), WORK, {"home/gpu": TWICE}, id="this machine's own address there"),
        pytest.param(
            mine("gpu", 2, **SIX),
            mine("box", 3, TailscaleIPs=["100.64.0.3", "FD7A:115C:A1E0:0::7"]),
            WORK,
            {"home/gpu": TWICE},
            id="IPv6, written otherwise",
        ),
        pytest.param(
            mine("gpu", 2), mine("box", 3, TailscaleIPs=["100.64.0.3", "x:y"]), WORK, {}, id="what is no address"
        ),
        pytest.param(mine("gpu", 2), mine("box", 2), BEHIND, {}, id="behind a proxy it is another place"),
        pytest.param(
            mine("gpu", 2),
            mine("box", 3, AllowedIPs=["100.64.0.3/32", "100.64.0.2/32"]),
            WORK,
            {"home/gpu": TWICE},
            id="the other one leads there, whatever it calls its own",
        ),
        pytest.param(
            mine("gpu", 2), mine("box", 3, AllowedIPs=["100.64.0.0/29"]), WORK, {"home/gpu": TWICE}, id="by a network"
        ),
        pytest.param(
            mine("gpu", 2),
            mine("exit", 3, AllowedIPs=["0.0.0.0/0", "::/0", "10.0.0.0/8", "no network"]),
            WORK,
            {},
            id="an exit node, another network, and what is none",
        ),
    ],
)
def test_an_address_of_two_tailnets_is_nobodys(
    home: dict[str, Any], work: dict[str, Any], net: Net, left: dict[str, str]
) -> None:
    found, rejected = judged(tailnet(home), tailnet(work, me=node("laptop", 99)), net)
    assert rejected == left
    every = {
        f"home/{home['ID']}:11434": f"home/{home['HostName']}",
        f"work/{work['ID']}:11434": f"work/{work['HostName']}",
    }
    assert found == {key for key, name in every.items() if name not in left}


def test_the_own_address_in_both_is_no_check() -> None:
    servers, rejected = judge_all([(HOME, tailnet()), (WORK, tailnet())], PLAIN)
    assert (servers, rejected) == ([], [])


@pytest.mark.parametrize(
    ("general", "own", "found"),
    [
        pytest.param(("tag:ollama",), None, {"home/n2:11434", "work/n12:11434"}, id="the general one holds in each"),
        pytest.param(("tag:ollama",), (), {"home/n2:11434"}, id="an own one holds in its place"),
        pytest.param((), ("tag:ollama",), {"work/n12:11434"}, id="and there only"),
    ],
)
def test_who_is_let_in_may_be_said_for_each(
    general: tuple[str, ...], own: tuple[str, ...] | None, found: set[str]
) -> None:
    bob = mine("bobs", 9, UserID=2)  # so that tags alone let nobody in
    home = tailnet(mine("gpu", 2, Tags=["tag:ollama"]), bob)
    work = tailnet(mine("box", 12, Tags=["tag:ollama"]), mine("eve", 19, UserID=2), me=node("laptop", 99))
    allow = None if own is None else tuple(map(parse_pattern, own))
    keys, _ = judged(home, work, replace(WORK, allow=allow), allow=tuple(map(parse_pattern, general)))
    assert keys == found


def test_users_are_compared_within_a_tailnet_only() -> None:
    """The numbers of two control planes mean nothing to each other."""
    found, left = judged(tailnet(mine("gpu", 2)), at_work(mine("box", 12)))
    assert found == {"home/n2:11434", "work/n12:11434"}
    _, left = judged(tailnet(mine("gpu", 2)), tailnet(mine("box", 12), me=node("laptop", 99, UserID=ALICE)))
    assert left == {"work/box": "other_user"}


@pytest.mark.parametrize(
    ("net", "found", "left"),
    [
        pytest.param(Net(), set(), {"/gpu": "userspace_here"}, id="no program can connect"),
        pytest.param(Net(socks5=("127.0.0.1", 1055)), {"n2:11434"}, {}, id="but through the proxy"),
    ],
)
def test_userspace_networking_here(net: Net, found: set[str], left: dict[str, str]) -> None:
    servers, rejected = judge_all([(net, tailnet(mine("gpu", 2), TUN=False))], PLAIN)
    peers = {one.key: one.socks5 for one in servers if not one.key.startswith("self:")}
    assert peers == dict.fromkeys(found, net.socks5)
    assert {f"{one.net}/{one.peer.name}": one.reason.word for one in rejected} == left


def test_behind_a_proxy_the_own_address_shows_nothing() -> None:
    servers, _ = judge_all([(HOME, tailnet()), (BEHIND, at_work())], PLAIN)
    assert [one.key for one in servers] == ["home/self:11434"]


RECORDING = Path(__file__).parent / "recordings/status-running-mixed.json"


@pytest.mark.parametrize("trusted", [True, False])
def test_another_range_is_as_good_where_the_config_trusts_it(*, trusted: bool) -> None:
    """What a real tailscale said, with the addresses that a Headscale of one's own gives."""
    document = json.loads(RECORDING.read_bytes())
    for number, one in enumerate((document["Self"], *document["Peer"].values()), 1):
        one["TailscaleIPs"] = [f"10.77.0.{number}", f"fd00:77::{number:x}"]
    networks = tuple(map(ip_network, ("10.77.0.0/16", "fd00:77::/48") if trusted else ()))
    moved, there = parse_status(json.dumps(document).encode()), parse_status(RECORDING.read_bytes())
    assert isinstance(moved, Tailnet)
    assert isinstance(there, Tailnet)
    servers, rejected = judge_all([(Net(), moved)], replace(PLAIN, trusted_networks=networks))
    if trusted:
        before = judge_all([(Net(), there)], PLAIN)
        assert [one.key for one in servers] == [one.key for one in before[0]]
        assert [(one.peer.id, one.reason) for one in rejected] == [(one.peer.id, one.reason) for one in before[1]]
        assert all(one.url.startswith("http://10.77.0.") for one in servers)
    else:
        assert servers == []
        assert {one.reason.word for one in rejected} == {"address_outside"}
