"""Who may be contacted: every peer becomes a server, or is rejected with a named reason."""

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.server import Kind
from ollama_locate.core.tailnet import Tailnet, Unavailable, parse_status
from ollama_locate.core.trust import Policy, Rejection, StaticServer, judge, own_servers
from tests.standins.tailscale import node

from .world import PLAIN, named, tailnet

RECORDINGS = Path(__file__).parent / "recordings"
BOB = {"UserID": 2}
TAGGED = {"UserID": 99, "Tags": ["tag:ollama"]}
ME_TAGGED = node("laptop", 1, **TAGGED)
BOBS = node("bobs", 9, **BOB)
LAN = replace(PLAIN, trusted_networks=(ip_network("192.168.7.0/24"),))


def policy(*, allow: tuple[str, ...] = (), deny: tuple[str, ...] = (), prefer: tuple[str, ...] = ()) -> Policy:
    read = [tuple(parse_pattern(text) for text in texts) for texts in (allow, deny, prefer)]
    return Policy((11434,), allow=read[0], deny=read[1], prefer=read[2])


def verdict(tail: Tailnet, chosen: Policy = PLAIN, name: str = "gpu") -> str:
    """`server`, or the reason why the peer of this name is rejected."""
    servers, rejected = judge(tail, chosen)
    reasons = {one.peer.host_name: one.reason.word for one in rejected}
    return reasons.get(name) or next(one.kind.value for one in servers if one.name == name)


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        pytest.param({}, "peer", id="an untagged node of this user is asked"),
        pytest.param({"Online": False}, "peer", id="offline is a hint: it is asked all the same"),
        pytest.param(TAGGED, "peer", id="a tagged node of a personal tailnet is asked"),
        pytest.param({"ID": ""}, "no_id", id="without an ID it cannot be told from others"),
        pytest.param({"ID": "n:2"}, "no_id", id="an ID that could not stand in a key"),
        pytest.param({"ID": "n1"}, "duplicate_id", id="this machine's own ID"),
        pytest.param({"TailscaleIPs": None}, "no_address", id="without an address"),
        pytest.param({"TailscaleIPs": ["192.168.7.7"]}, "address_outside", id="an address of the LAN"),
        pytest.param({"TailscaleIPs": ["100.63.255.255", "100.128.0.0"]}, "address_outside", id="just outside"),
        pytest.param({"TailscaleIPs": ["100.64.0.0"]}, "peer", id="the first address of the range"),
        pytest.param({"TailscaleIPs": ["100.127.255.255"]}, "peer", id="and the last"),
        pytest.param({"TailscaleIPs": ["127.0.0.1"]}, "address_outside", id="loopback is for this machine alone"),
        pytest.param({"TailscaleIPs": ["fd7a:115c:a1e1::2"]}, "address_outside", id="the wrong IPv6 prefix"),
        pytest.param({"TailscaleIPs": ["fd7a:115c:a1e0::2%eth0"]}, "address_outside", id="an address with a zone"),
        pytest.param({"TailscaleIPs": ["::ffff:100.64.0.2"]}, "address_outside", id="IPv4 in disguise"),
        pytest.param({"TailscaleIPs": ["gpu", ""]}, "address_outside", id="no addresses at all"),
        pytest.param({"Expired": True}, "expired", id="an expired key"),
        pytest.param({"ShareeNode": True}, "shared_out", id="somebody who was given one of ours"),
        pytest.param({"ShareeNode": True, "Tags": ["tag:ingress"]}, "funnel_ingress", id="a relay of Funnel"),
        pytest.param({"Tags": ["tag:mullvad-exit-node"]}, "mullvad", id="a Mullvad exit node by its tag"),
        pytest.param({"DNSName": "se.mullvad.ts.net."}, "mullvad", id="a Mullvad exit node by its name"),
        pytest.param({"OS": "iOS"}, "phone_or_tv", id="a phone"),
        pytest.param({"OS": "android", "UserID": 99, "Tags": ["tag:tv"]}, "phone_or_tv", id="a tagged TV"),
        pytest.param({"AltSharerUserID": 2}, "shared_in", id="shared in by somebody"),
        pytest.param({"DNSName": "gpu.other.ts.net."}, "shared_in", id="named in another tailnet"),
        pytest.param({"DNSName": "gpu.other.ts.net.", "Tags": ["tag:ollama"]}, "shared_in", id="shared in and tagged"),
        pytest.param(BOB, "other_user", id="another user's node"),
    ],
)
def test_by_default_only_the_user_s_own_nodes_are_asked(fields: dict[str, Any], want: str) -> None:
    assert verdict(tailnet(node("gpu", 2, **fields))) == want


@pytest.mark.parametrize(
    ("others", "want"),
    [
        pytest.param([], "peer", id="nobody else is there"),
        pytest.param([node("nas", 3)], "peer", id="all untagged nodes are this user's"),
        pytest.param([node("tagged", 3, **TAGGED)], "peer", id="other tagged nodes are nobody's"),
        pytest.param([node("in", 3, **BOB, DNSName="in.other.ts.net.")], "peer", id="a node shared in lives elsewhere"),
        pytest.param([node("out", 3, **BOB, ShareeNode=True)], "peer", id="a node we share out to lives elsewhere"),
        pytest.param([BOBS], "tagged", id="another user has a node"),
        pytest.param([node("bobs", 9, **BOB, Expired=True)], "tagged", id="even an expired one"),
    ],
)
def test_a_tagged_node_is_trusted_only_in_a_personal_tailnet(others: list[dict[str, Any]], want: str) -> None:
    assert verdict(tailnet(node("gpu", 2, **TAGGED), *others)) == want


@pytest.mark.parametrize(
    ("fields", "allow", "want"),
    [
        pytest.param({}, (), "self_tagged", id="nobody's own nodes can be told"),
        pytest.param(TAGGED, (), "self_tagged", id="not even those with the same tag"),
        pytest.param({}, ("gpu",), "peer", id="allow counts"),
    ],
)
def test_where_this_machine_is_tagged_only_allow_counts(
    fields: dict[str, Any], allow: tuple[str, ...], want: str
) -> None:
    assert verdict(tailnet(node("gpu", 2, **fields), me=ME_TAGGED), policy(allow=allow)) == want


@pytest.mark.parametrize(
    ("fields", "chosen", "want"),
    [
        pytest.param(BOB, policy(allow=("gpu",)), "peer", id="allow by name admits another user's node"),
        pytest.param(BOB, policy(allow=("user:BOB@example.com",)), "peer", id="allow by user"),
        pytest.param(TAGGED, policy(allow=("tag:ollama",)), "peer", id="allow by tag"),
        pytest.param({"OS": "iOS"}, policy(allow=("gpu",)), "peer", id="allow admits even a phone"),
        pytest.param(
            {"DNSName": "gpu.other.ts.net."}, policy(allow=("gpu",)), "shared_in", id="a short name is one of ours"
        ),
        pytest.param({"Expired": True}, policy(allow=("gpu",)), "expired", id="allow revives no expired key"),
        pytest.param({"ShareeNode": True}, policy(allow=("*",)), "shared_out", id="allow * spares sharees"),
        pytest.param({"Tags": ["tag:mullvad-exit-node"]}, policy(allow=("*",)), "mullvad", id="allow * spares Mullvad"),
        pytest.param({"ID": ""}, policy(allow=("*",)), "no_id", id="allow gives no ID"),
        pytest.param({"TailscaleIPs": ["1.1.1.1"]}, policy(allow=("*",)), "address_outside", id="allow adds no range"),
        pytest.param({}, policy(deny=("gpu",)), "denied", id="deny removes an own node"),
        pytest.param({}, policy(allow=("gpu",), deny=("100.64.0.0/24",)), "denied", id="deny beats allow"),
        pytest.param({"TailscaleIPs": ["192.168.7.7"]}, LAN, "peer", id="a range of the config is trusted"),
    ],
)
def test_the_config_widens_and_narrows(fields: dict[str, Any], chosen: Policy, want: str) -> None:
    assert verdict(tailnet(node("gpu", 2, **fields), BOBS), chosen) == want


def test_without_a_network_interface_here_no_peer_can_be_reached() -> None:
    assert verdict(tailnet(node("gpu", 2), TUN=False), policy(allow=("*",))) == "userspace_here"


def test_of_two_peers_with_one_id_only_one_can_be_asked() -> None:
    servers, rejected = judge(tailnet(node("gpu", 2), node("nas", 3, ID="n2")), PLAIN)
    assert [one.name for one in servers if one.kind is Kind.PEER] == ["gpu"]
    assert [(one.peer.name, one.reason) for one in rejected] == [("nas", Rejection.DUPLICATE_ID)]


@pytest.mark.parametrize("taken", ["local", "self", "static"])
def test_a_peer_s_id_cannot_take_the_place_of_this_machine_or_of_a_static_server(taken: str) -> None:
    chosen = replace(PLAIN, static=(StaticServer("11434", "192.168.7.7", 11434),))
    keys = [one.key for one in own_servers(chosen) + judge(tailnet(node("gpu", 2, ID=taken)), chosen)[0]]
    assert len(keys) == len(set(keys))


def test_no_range_of_the_config_makes_loopback_a_peer_s_address() -> None:
    wide = replace(PLAIN, trusted_networks=(ip_network("0.0.0.0/0"),))
    assert verdict(tailnet(node("gpu", 2, TailscaleIPs=["127.0.0.1"])), wide) == "address_outside"


def test_nodes_without_a_user_are_not_the_same_user_s() -> None:
    assert verdict(tailnet(node("gpu", 2, UserID=0), me=node("laptop", 1, UserID=0))) != "peer"


@pytest.mark.parametrize(
    ("addresses", "url"),
    [
        pytest.param(["fd7a:115c:a1e0::2", "100.64.0.2"], "http://100.64.0.2:11434", id="IPv4 before IPv6"),
        pytest.param(["1.1.1.1", "100.64.0.2"], "http://100.64.0.2:11434", id="the first inside the ranges"),
        pytest.param(["FD7A:115C:A1E0:0::2"], "http://[fd7a:115c:a1e0::2]:11434", id="IPv6 alone, in plain form"),
        pytest.param(
            ["fd7a:115c:a1e0::2", "fd7a:115c:a1e0::3"], "http://[fd7a:115c:a1e0::2]:11434", id="the first of two"
        ),
    ],
)
def test_the_url_carries_the_address_and_no_name(addresses: list[str], url: str) -> None:
    servers, _ = judge(tailnet(node("gpu", 2, TailscaleIPs=addresses)), PLAIN)
    assert servers[0].url == url


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param({}, "gpu", id="the name of the control plane"),
        pytest.param({"DNSName": "", "HostName": "My\x1b[31mMac"}, "My [31mMac", id="else the host name, made safe"),
        pytest.param({"DNSName": "", "HostName": "\x1b"}, "100.64.0.2", id="else the address"),
        pytest.param({"DNSName": "", "HostName": "x" * 99}, "x" * 63 + "…", id="of bounded length"),
    ],
)
def test_a_server_has_a_name_that_can_be_shown(fields: dict[str, Any], name: str) -> None:
    assert judge(tailnet(node("gpu", 2, **fields)), PLAIN)[0][0].name == name


def test_each_port_is_a_server_of_its_own() -> None:
    servers, _ = judge(named("gpu"), Policy((11434, 8080)))
    peers = [(one.key, one.name, one.url) for one in servers if one.kind is Kind.PEER]
    assert peers == [
        ("n2:11434", "gpu:11434", "http://100.64.0.2:11434"),
        ("n2:8080", "gpu:8080", "http://100.64.0.2:8080"),
    ]


def test_this_machine_s_ports_have_names_of_their_own() -> None:
    assert len({one.name for one in own_servers(Policy((11434, 8080)))}) == 2


def test_the_tier_is_the_place_in_prefer() -> None:
    chosen = policy(prefer=("gpu", "*", "local"))
    servers, _ = judge(named("gpu", "nas"), chosen)
    tiers = {one.name: one.tier for one in servers if one.kind is Kind.PEER}
    assert tiers == {"gpu": 0, "nas": 1}
    assert [one.tier for one in own_servers(chosen)] == [2]


def test_this_machine_is_probed_on_loopback_and_at_its_tailnet_address() -> None:
    (local,) = own_servers(PLAIN)
    assert (local.kind, local.host, local.url) == (Kind.LOCAL, "127.0.0.1", "http://localhost:11434")
    (check,), _ = judge(named(), PLAIN)
    assert (check.kind, check.host) == (Kind.SELF_CHECK, "100.64.0.1")


@pytest.mark.parametrize(
    ("chosen", "me"),
    [
        pytest.param(replace(PLAIN, use_local=False), None, id="off means off"),
        pytest.param(replace(PLAIN, check_self=False), None, id="nobody asks for it unless local is auto"),
        pytest.param(PLAIN, node("laptop", 1, TailscaleIPs=None), id="this machine has no address yet"),
    ],
)
def test_there_is_no_self_check_without_need(chosen: Policy, me: dict[str, Any] | None) -> None:
    assert judge(tailnet(me=me), chosen) == ([], [])


def test_the_static_list_is_trusted_because_its_owner_typed_it() -> None:
    entries = (StaticServer("Den", "192.168.7.7", 11434), StaticServer("away", "ollama.example", 443, tls=True))
    servers = own_servers(replace(policy(prefer=("away", "den")), use_local=False, static=entries))
    assert [(one.key, one.url, one.tier, one.tls) for one in servers] == [
        ("static:Den", "http://192.168.7.7:11434", 1, False),
        ("static:away", "https://ollama.example:443", 0, True),
    ]


def test_the_recorded_tailnet_of_several_users_is_judged() -> None:
    found = parse_status((RECORDINGS / "status-running-mixed.json").read_bytes())
    assert not isinstance(found, Unavailable)
    servers, rejected = judge(found, PLAIN)
    assert {one.name for one in servers if one.kind is Kind.PEER} == {"gpu", "nas", "off"}
    assert {one.peer.name: one.reason for one in rejected} == {
        "shared": Rejection.OTHER_USER,
        "sharee": Rejection.SHARED_OUT,
        "phone": Rejection.PHONE_OR_TV,
        "expired": Rejection.EXPIRED,
        "tagged": Rejection.TAGGED,
    }
