"""What the outside may say: statuses of tailnets, hostile ones included, configs and probes."""

import json
from ipaddress import ip_network
from typing import Any

import msgspec
from hypothesis import strategies as st

from ollama_locate.core.inventory import listed, loaded
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patterns import Pattern, parse_pattern
from ollama_locate.core.selection import Local
from ollama_locate.core.track import Settings
from ollama_locate.core.trust import Policy, StaticServer
from tests.standins.tailscale import node, status

EVIL = (
    "$(reboot)",
    "a\nOLLAMA_HOST=evil",
    "'; rm -rf ~;'",
    "a,b=c",
    "\x1b]0;x\x07",
    "a\u202eb",
    "\ud800",
    "../../x",
    "",
    "x" * 600,
    "a b",
    "https://evil/",
    "local",
    "self",
    "static",
)
texts = st.text(max_size=40) | st.sampled_from(EVIL)
unicode_texts = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    [t for t in EVIL if "\ud800" not in t]
)

addresses = (
    st.ip_addresses(network="100.64.0.0/10").map(str)
    | st.ip_addresses(network="fd7a:115c:a1e0::/48").map(str)
    | st.ip_addresses().map(str)
    | st.sampled_from(["127.0.0.1", "::1", "192.168.7.7", "::ffff:100.64.0.2", "fd7a:115c:a1e0::2%eth0", "0.0.0.0"])
    | unicode_texts
)

_tags = st.sampled_from(["tag:ollama", "tag:mullvad-exit-node", "tag:ingress"]) | unicode_texts
_fields = st.fixed_dictionaries(
    {},
    optional={
        "ID": st.sampled_from(["n1", "n2", "n3", "local", "self", "static", ""]) | unicode_texts,
        "HostName": unicode_texts,
        "DNSName": st.sampled_from(["gpu.tail-lab.ts.net.", "x.other.ts.net.", "a.mullvad.ts.net."]) | unicode_texts,
        "OS": st.sampled_from(["linux", "iOS", "tvOS", "macOS", ""]) | unicode_texts,
        "UserID": st.sampled_from([0, 1, 2]),
        "Tags": st.none()
        | st.lists(st.sampled_from(["tag:ollama", "tag:mullvad-exit-node", "tag:ingress"]), max_size=2),
        "TailscaleIPs": st.none() | st.lists(addresses, max_size=4),
        "Online": st.booleans(),
        "Expired": st.booleans(),
        "ShareeNode": st.booleans(),
        "AltSharerUserID": st.sampled_from([0, 7]),
        "Active": st.booleans(),
        "CurAddr": unicode_texts,
        "PeerRelay": unicode_texts,
    },
)
_numbers = st.integers(2, 9)


@st.composite
def nodes(draw: st.DrawFn) -> dict[str, Any]:
    number = draw(_numbers)
    return node(f"peer{number}", number, **draw(_fields))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A status of a running tailnet: of sane shape, whatever it says."""
    me = draw(st.none() | st.builds(lambda fields: node("laptop", 1, **fields), _fields))
    suffix = draw(st.sampled_from(["tail-lab.ts.net", "", "TAIL-LAB.ts.net."]))
    return status(*draw(st.lists(nodes(), max_size=6)), me=me, TUN=draw(st.booleans()), MagicDNSSuffix=suffix)


entries = st.sampled_from(
    ["*", "local", "gpu", "peer2", "tag:ollama", "user:me@example.com", "100.64.0.2", "100.64.0.0/10", "::/0"]
).map(parse_pattern)
patterns: st.SearchStrategy[tuple[Pattern, ...]] = st.lists(entries, max_size=3).map(tuple)
networks = st.sampled_from(["192.168.7.0/24", "0.0.0.0/0", "::/0", "127.0.0.0/8"]).map(ip_network)

policies = st.builds(
    Policy,
    ports=st.lists(st.integers(1, 65535), min_size=1, max_size=3, unique=True).map(tuple),
    prefer=patterns,
    allow=patterns,
    deny=st.just(()) | patterns,
    trusted_networks=st.lists(networks, max_size=2).map(tuple),
    static=st.lists(
        st.builds(StaticServer, st.sampled_from(["den", "11434"]), unicode_texts, st.integers(1, 65535), st.booleans()),
        max_size=2,
        unique_by=lambda entry: entry.name,
    ).map(tuple),
    use_local=st.booleans(),
    check_self=st.booleans(),
)
all_settings = st.builds(
    Settings,
    policies,
    st.sampled_from([1.0, 30.0]),
    st.sampled_from(Local),
    st.sampled_from([(), (("a:1",),), (("b:1", "a:1"), ("c:1",))]),
    st.sampled_from([{}, {"small": ("a:1", "b:1")}, {"a": ("b:1",)}]),
    st.booleans(),
)

stocks = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["a:1", "b:1", "a:latest"]) | unicode_texts},
        optional={"digest": unicode_texts, "remote_host": unicode_texts, "size": st.integers(-9, 2**40)},
    ),
    max_size=4,
).map(
    lambda models: loaded(
        listed(msgspec.json.encode({"models": models})) or (), msgspec.json.encode({"models": models[:1]})
    )
)
"""What a server may have: whatever it says of it, as it is read."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | unicode_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(unicode_texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid status in which one value, at any depth, was replaced or removed."""
    document: Any = draw(documents())
    place, key = document, draw(st.sampled_from(sorted(document)))
    while isinstance(place[key], dict) and place[key] and draw(st.booleans()):
        place = place[key]
        key = draw(st.sampled_from(sorted(place)))
    if draw(st.booleans()):
        place[key] = draw(json_values)
    else:
        del place[key]
    return json.dumps(document).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid status, some of whose bytes were replaced or lost."""
    data = bytearray(json.dumps(draw(documents())).encode())
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data) - 1))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


def probes(sent: float) -> st.SearchStrategy[Probe]:
    """Any outcome, of a probe that was sent then."""
    return st.builds(
        Probe,
        outcome=st.sampled_from([Outcome.ALIVE, Outcome.ALIVE, *Outcome]),
        sent=st.just(sent),
        rtt=st.none() | st.floats(0.0001, 2.0),
        models=st.none() | st.lists(unicode_texts | st.sampled_from(["a:1", "b:1"]), max_size=3).map(tuple),
        connected=st.booleans(),
    )
