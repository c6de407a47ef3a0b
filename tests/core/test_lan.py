"""Who of the LAN may be asked, by what it says of itself and by the config."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from ollama_locate.core.bounds import MDNS_SERVERS_MAX
from ollama_locate.core.lan import Judge, Unfit
from ollama_locate.core.mdns import Heard, Mdns, Sighting
from ollama_locate.core.patterns import Pattern, parse_pattern
from ollama_locate.core.server import Kind, Server
from ollama_locate.core.trust import Policy

NETWORKS = (ip_network("192.168.1.0/24"), ip_network("172.17.0.0/16"), ip_network("fd00::/64"))
OWN = frozenset({"192.168.1.5", "172.17.0.1", "fd00::5", "127.0.0.1", "::1"})


def entries(*texts: str) -> tuple[Pattern, ...]:
    return tuple(map(parse_pattern, texts))


def policy(*allow: str, prefer: tuple[str, ...] = (), deny: tuple[str, ...] = ()) -> Policy:
    mdns = Mdns(browse=True, allow=entries(*allow))
    return Policy((11434,), prefer=entries(*prefer), deny=entries(*deny), mdns=mdns)


def box(*addresses: str, host: str = "gpu-box.local", port: int = 11434, name: str = "box") -> Sighting:
    return Sighting(name, host, port, addresses)


def judged(rules: Policy, *sightings: Sighting, **holders: str) -> tuple[list[Server], dict[str, Unfit]]:
    found = {host.replace("_", "-") + ".local": address for host, address in holders.items()}
    servers, unasked = Judge(rules, Heard(sightings, OWN, NETWORKS), found).all()
    return servers, {one.sighting.name: one.reason for one in unasked}


BY_ADDRESS, BY_NETWORK, BY_NAME = policy("192.168.1.20"), policy("192.168.1.0/24"), policy("gpu-box")


@pytest.mark.parametrize(
    ("rules", "says", "hosts"),
    [
        pytest.param(BY_ADDRESS, box("192.168.1.20"), ["192.168.1.20"], id="an address"),
        pytest.param(BY_NETWORK, box("192.168.1.20"), ["192.168.1.20"], id="a network"),
        pytest.param(BY_NAME, box("192.168.1.20"), ["192.168.1.20"], id="a name"),
        pytest.param(policy("GPU-box.local"), box("192.168.1.20"), ["192.168.1.20"], id="a whole name, in any case"),
        pytest.param(BY_NAME, box("10.8.0.1", "192.168.1.20"), ["192.168.1.20"], id="the address that is on this LAN"),
        pytest.param(
            BY_NETWORK, box("192.168.1.20", "192.168.1.21"), ["192.168.1.20", "192.168.1.21"], id="each that is allowed"
        ),
        pytest.param(policy("10.9.0.0/16"), box("10.9.0.1"), ["10.9.0.1"], id="an address of another network"),
        pytest.param(policy("203.0.113.7"), box("203.0.113.7"), ["203.0.113.7"], id="even one of the internet"),
        pytest.param(policy("fd00::20"), box("fd00::20"), ["fd00::20"], id="IPv6, by its address"),
        pytest.param(
            BY_ADDRESS, box("192.168.1.20", "127.0.0.1", "100.64.0.2"), ["192.168.1.20"], id="others are left out"
        ),
        pytest.param(BY_ADDRESS, box("::ffff:192.168.1.20"), ["192.168.1.20"], id="one that is written as IPv6"),
    ],
)
def test_who_is_allowed(rules: Policy, says: Sighting, hosts: list[str]) -> None:
    servers, unasked = judged(rules, says)
    assert [one.host for one in servers] == hosts
    assert {one.kind for one in servers} == {Kind.MDNS}
    assert not any(one.loopback for one in servers)
    assert not unasked


EVERYTHING = policy("gpu-box", "192.168.1.0/24")


@pytest.mark.parametrize(
    ("rules", "says", "reason"),
    [
        pytest.param(policy(), box("192.168.1.20"), Unfit.NOT_ALLOWED, id="nobody is by default"),
        pytest.param(BY_ADDRESS, box("192.168.1.21"), Unfit.NOT_ALLOWED, id="another address"),
        pytest.param(BY_NAME, box("192.168.1.20", host="gpu-box2.local"), Unfit.NOT_ALLOWED, id="another name"),
        pytest.param(BY_NAME, box("192.168.1.20", host="x.gpu-box.local"), Unfit.NOT_ALLOWED, id="a longer name"),
        pytest.param(BY_NAME, box("192.168.1.20", name="gpu-box", host="x.local"), Unfit.NOT_ALLOWED, id="its service"),
        pytest.param(EVERYTHING, box("127.0.0.1"), Unfit.CLAIMS_LOOPBACK, id="loopback"),
        pytest.param(EVERYTHING, box("127.9.9.9"), Unfit.CLAIMS_LOOPBACK, id="all of loopback"),
        pytest.param(EVERYTHING, box("0.0.0.0"), Unfit.CLAIMS_LOOPBACK, id="this machine's other name"),
        pytest.param(EVERYTHING, box("::1"), Unfit.CLAIMS_LOOPBACK, id="loopback in IPv6"),
        pytest.param(EVERYTHING, box("::"), Unfit.CLAIMS_LOOPBACK, id="and its other name"),
        pytest.param(EVERYTHING, box("::ffff:127.0.0.1"), Unfit.CLAIMS_LOOPBACK, id="loopback, written as IPv6"),
        pytest.param(EVERYTHING, box("100.100.100.100"), Unfit.CLAIMS_TAILNET, id="an address of the tailnet"),
        pytest.param(EVERYTHING, box("fd7a:115c:a1e0::2"), Unfit.CLAIMS_TAILNET, id="and in IPv6"),
        pytest.param(EVERYTHING, box("192.168.1.5"), Unfit.OWN_ADDRESS, id="this machine"),
        pytest.param(EVERYTHING, box("172.17.0.1"), Unfit.OWN_ADDRESS, id="this machine's bridge, as all have one"),
        pytest.param(EVERYTHING, box("192.168.1.20", port=22), Unfit.OTHER_PORT, id="a port that no Ollama has"),
        pytest.param(EVERYTHING, box("192.168.1.20", port=0), Unfit.OTHER_PORT, id="no port"),
        pytest.param(BY_NAME, box("8.8.8.8"), Unfit.NOT_ON_LAN, id="a name that points to the internet"),
        pytest.param(BY_NAME, box("10.0.0.1"), Unfit.NOT_ON_LAN, id="a name that points behind a router"),
        pytest.param(BY_NAME, box("fd00::20"), Unfit.NOT_ON_LAN, id="a name stands for IPv4 alone"),
        pytest.param(BY_NAME, box("192.168.1.20", "192.168.1.66"), Unfit.CLAIMED_TWICE, id="a name of two addresses"),
        pytest.param(BY_NAME, box(), Unfit.NO_ADDRESS, id="no address"),
        pytest.param(BY_NAME, box("junk"), Unfit.NO_ADDRESS, id="junk"),
        pytest.param(policy("fe80::1"), box("fe80::1"), Unfit.NO_ADDRESS, id="one that holds on one link only"),
        pytest.param(policy("fe80::/64"), box("fe80::1%eth0"), Unfit.NO_ADDRESS, id="and with its link"),
        pytest.param(policy("224.0.0.0/8"), box("224.0.0.251"), Unfit.NO_ADDRESS, id="a multicast"),
        pytest.param(policy("255.255.255.255"), box("255.255.255.255"), Unfit.NO_ADDRESS, id="everybody"),
        pytest.param(policy("192.168.1.20", deny=("gpu-box",)), box("192.168.1.20"), Unfit.DENIED, id="a denied name"),
        pytest.param(policy("gpu-box", deny=("192.168.1.20",)), box("192.168.1.20"), Unfit.DENIED, id="an address"),
        pytest.param(
            EVERYTHING, box("127.0.0.1", "192.168.1.20", port=22), Unfit.OTHER_PORT, id="what can be mended is said"
        ),
    ],
)
def test_who_is_left_alone_and_why(rules: Policy, says: Sighting, reason: Unfit) -> None:
    servers, unasked = judged(rules, says)
    assert servers == []
    assert list(unasked.values()) == [reason]


RIGHT, WRONG = box("192.168.1.20", name="right"), box("192.168.1.66", name="wrong")


@pytest.mark.parametrize(
    ("rules", "holder", "hosts", "reasons"),
    [
        pytest.param(
            BY_NAME, None, [], {"right": Unfit.CLAIMED_TWICE, "wrong": Unfit.CLAIMED_TWICE}, id="nobody can tell them"
        ),
        pytest.param(
            BY_NAME, "192.168.1.20", ["192.168.1.20"], {"wrong": Unfit.CLAIMED_TWICE}, id="who had it keeps it"
        ),
        pytest.param(
            policy("gpu-box", "192.168.1.66"),
            "192.168.1.20",
            ["192.168.1.20", "192.168.1.66"],
            {},
            id="an address needs no name",
        ),
    ],
)
def test_two_claim_one_name(rules: Policy, holder: str | None, hosts: list[str], reasons: dict[str, Unfit]) -> None:
    servers, unasked = judged(rules, RIGHT, WRONG, **({"gpu_box": holder} if holder else {}))
    assert [one.host for one in servers] == hosts
    assert unasked == reasons


def test_of_one_service_that_claims_a_rivals_address_only_the_holders_is_asked_and_the_other_is_shown() -> None:
    heard = Heard((box("192.168.1.20", "192.168.1.66"),), OWN, NETWORKS)
    servers, unasked = Judge(BY_NAME, heard, {"gpu-box.local": "192.168.1.20"}).all()
    assert [one.host for one in servers] == ["192.168.1.20"]
    assert [(one.sighting.addresses, one.reason) for one in unasked] == [(("192.168.1.66",), Unfit.CLAIMED_TWICE)]


@pytest.mark.parametrize(
    ("rules", "every", "names"),
    [
        pytest.param(BY_NAME, [box("192.168.1.20")], ["gpu-box.local"], id="what it calls itself"),
        pytest.param(BY_NETWORK, [RIGHT, WRONG], ["192.168.1.20", "192.168.1.66"], id="but not what two are called"),
        pytest.param(
            BY_ADDRESS,
            [box("192.168.1.20"), box("192.168.1.20", name="b", host="b.local")],
            ["192.168.1.20"],
            id="nor where one has two names",
        ),
        pytest.param(BY_ADDRESS, [box("192.168.1.20", host="here")], ["192.168.1.20"], id="nor no name of a LAN"),
        pytest.param(
            replace(BY_NAME, ports=(11434, 8080)), [box("192.168.1.20")], ["gpu-box.local:11434"], id="and the port"
        ),
        pytest.param(BY_ADDRESS, [box("192.168.1.20", host="a\x1b[2J.local")], ["a [2J.local"], id="without controls"),
    ],
)
def test_what_a_server_is_called(rules: Policy, every: list[Sighting], names: list[str]) -> None:
    assert [one.name for one in judged(rules, *every)[0]] == names


@pytest.mark.parametrize(
    ("prefer", "allow", "tier"),
    [
        pytest.param((), ("gpu-box",), 1, id="after all others"),
        pytest.param(("*", "local"), ("gpu-box",), 3, id="and after what is named"),
        pytest.param(("mdns", "*"), ("gpu-box",), 0, id="unless the user says otherwise"),
        pytest.param(("*", "mdns", "gpu-box"), ("gpu-box",), 2, id="its name counts before the word"),
        pytest.param(("gpu-box", "*"), ("192.168.1.20",), 3, id="but not a name that is not allowed"),
        pytest.param(("x", "192.168.1.0/24"), ("192.168.1.20",), 1, id="its address does"),
    ],
)
def test_its_place_in_the_order(prefer: tuple[str, ...], allow: tuple[str, ...], tier: int) -> None:
    assert [one.tier for one in judged(policy(*allow, prefer=prefer), box("192.168.1.20"))[0]] == [tier]


def test_who_claims_a_name_that_another_one_holds_does_not_get_its_place() -> None:
    rules = policy("gpu-box", "192.168.1.0/24", prefer=("gpu-box", "*"))
    servers, _ = judged(rules, RIGHT, WRONG, gpu_box="192.168.1.20")
    assert {one.host: one.tier for one in servers} == {"192.168.1.20": 0, "192.168.1.66": 3}
    assert {one.host: one.name for one in servers} == {"192.168.1.20": "gpu-box.local", "192.168.1.66": "192.168.1.66"}


def test_an_allowed_network_full_of_servers_is_asked_up_to_a_bound() -> None:
    every = [box(f"192.168.1.{number}", name=f"n{number}", host=f"n{number}.local") for number in range(100, 200)]
    servers, unasked = judged(BY_NETWORK, *every)
    assert len(servers) == MDNS_SERVERS_MAX
    assert set(unasked.values()) == {Unfit.TOO_MANY}
    assert len(servers) + len(unasked) == 100


def test_before_anything_was_heard_the_networks_are_not_known() -> None:
    judge = Judge(BY_NAME, None, {})
    assert judge.all() == ([], [])
    assert judge.reason("gpu-box.local", "192.168.1.20", 11434) is None
    assert judge.reason("gpu-box.local", "127.0.0.1", 11434) is Unfit.CLAIMS_LOOPBACK
    assert judge.reason("gpu-box.local", "8.8.8.8", 11434) is Unfit.NOT_ON_LAN
