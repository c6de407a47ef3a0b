"""What `tailscale status --json` prints becomes a tailnet, or a named reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.core.tailnet import Absence, Own, Peer, Tailnet, Unavailable, parse_own, parse_status
from tests.standins.tailscale import node, raw, status

from .world import tailnet

RECORDINGS = Path(__file__).parent / "recordings"
HUGE_USER = raw(node("gpu", 2, UserID=7)).replace(b'"UserID": 7', b'"UserID": ' + b"9" * 5000)


def peer(**more: Any) -> Peer:
    return tailnet(node("gpu", 2, **more)).peers[0]


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param("status-running-mixed.json", id="most paths direct"),
        pytest.param("status-active-direct-and-relay.json", id="one peer on a relay"),
    ],
)
def test_a_recorded_tailnet_is_read_whole(recording: str) -> None:
    found = parse_status((RECORDINGS / recording).read_bytes())
    assert not isinstance(found, Unavailable)
    assert (found.self.name, found.suffix, found.tun) == ("laptop", "tail-lab.ts.net", True)
    assert found.self.login == "user-123@fake-control.example.net"
    peers = {one.name: one for one in found.peers}
    assert set(peers) == {"nas", "shared", "sharee", "phone", "expired", "gpu", "off", "tagged"}
    assert peers["gpu"].addresses[0] == "100.64.0.2"
    assert peers["gpu"].path == "direct"
    assert peers["expired"].expired
    assert peers["sharee"].shared_out
    assert not peers["off"].online
    assert peers["tagged"].tags == ("tag:ollama",)
    assert peers["shared"].user_id != found.self.user_id


def test_the_home_relay_of_an_active_peer_without_an_address_is_its_path() -> None:
    found = parse_status((RECORDINGS / "status-active-direct-and-relay.json").read_bytes())
    assert not isinstance(found, Unavailable)
    assert {one.name: one.path for one in found.peers if one.path != "unknown"} == {
        "nas": "direct",
        "gpu": "direct",
        "tagged": "relay",
    }


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        pytest.param({"CurAddr": "198.18.0.2:41641"}, "direct", id="an address is a direct path"),
        pytest.param({"CurAddr": "", "Relay": "fra"}, "unknown", id="an idle peer only has a home relay"),
        pytest.param({"CurAddr": "", "Relay": "fra", "Active": True}, "relay", id="an active one goes through it"),
        pytest.param({"CurAddr": "", "Relay": "", "Active": True}, "unknown", id="active without any relay"),
        pytest.param({"CurAddr": "", "PeerRelay": "100.64.0.9:1:vni:2"}, "relay", id="another peer relays"),
    ],
)
def test_the_path_is_what_packets_take_now(fields: dict[str, Any], path: str) -> None:
    assert peer(**fields).path == path


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        pytest.param((RECORDINGS / "status-stopped.json").read_bytes(), Absence.STOPPED, "", id="stopped, all listed"),
        pytest.param(
            (RECORDINGS / "status-needs-login.json").read_bytes(), Absence.NEEDS_LOGIN, "", id="logged out, Peer null"
        ),
        pytest.param(raw(BackendState="Starting"), Absence.STARTING, "", id="starting"),
        pytest.param(raw(BackendState="NeedsMachineAuth"), Absence.NEEDS_MACHINE_AUTH, "", id="not yet approved"),
        pytest.param(raw(BackendState=""), Absence.NO_STATE, "", id="an empty state"),
        pytest.param(raw(BackendState="In\x1bUse"), Absence.NO_STATE, "In Use", id="a state nobody knows, made safe"),
        pytest.param(b"{}", Absence.NO_STATE, "", id="no field at all"),
        pytest.param(b"", Absence.TRUNCATED, "truncated", id="nothing"),
        pytest.param(raw(node("gpu", 2))[:-9], Absence.TRUNCATED, "truncated", id="cut off"),
        pytest.param(b"Tailscale is stopped.", Absence.GARBAGE, "malformed", id="text"),
        pytest.param(b'{"BackendState":"\xff"}', Absence.GARBAGE, "utf-8", id="no UTF-8"),
        pytest.param(b'{"x":' * 100_000, Absence.GARBAGE, "recursion", id="nested too deep"),
        pytest.param(b"[]", Absence.WRONG_TYPE, "array", id="an array"),
        pytest.param(b"null", Absence.WRONG_TYPE, "null", id="null"),
        pytest.param(raw(Self=None), Absence.WRONG_TYPE, "Self", id="running without this machine"),
        pytest.param(
            raw(node("gpu", 2, UserID="1")), Absence.WRONG_TYPE, "$.Peer[...].UserID", id="a user's ID as text"
        ),
        pytest.param(raw(node("gpu", 2, TailscaleIPs="1")), Absence.WRONG_TYPE, "TailscaleIPs", id="IPs as one text"),
        pytest.param(HUGE_USER, Absence.WRONG_TYPE, "UserID", id="a number beyond reason"),
    ],
)
def test_what_is_no_running_tailnet_has_a_reason(data: bytes, reason: Absence, detail: str) -> None:
    found = parse_status(data)
    assert isinstance(found, Unavailable)
    assert found.reason is reason
    assert detail in found.detail
    assert bool(found.detail) == bool(detail)


@pytest.mark.parametrize(
    ("fields", "name", "dns_name"),
    [
        pytest.param({}, "gpu", "gpu.tail-lab.ts.net", id="our own tailnet: the short name"),
        pytest.param({"DNSName": "GPU.Tail-Lab.ts.net."}, "gpu", "gpu.tail-lab.ts.net", id="capitals mean nothing"),
        pytest.param({"DNSName": "gpu.other.ts.net."}, "gpu.other.ts.net", "gpu.other.ts.net", id="another: the whole"),
        pytest.param({"DNSName": "xtail-lab.ts.net."}, "xtail-lab.ts.net", "xtail-lab.ts.net", id="no dot, not ours"),
        pytest.param({"DNSName": "", "HostName": "gpu"}, "", "", id="the host name is never a name"),
    ],
)
def test_a_name_is_what_the_control_plane_gives(fields: dict[str, Any], name: str, dns_name: str) -> None:
    found = peer(**fields)
    assert (found.name, found.dns_name) == (name, dns_name)


@pytest.mark.parametrize(
    ("fields", "shared_in"),
    [
        pytest.param({}, False, id="a node of ours"),
        pytest.param({"AltSharerUserID": 7}, True, id="a sharer is named"),
        pytest.param({"DNSName": "gpu.other.ts.net."}, True, id="its name lies in another tailnet"),
        pytest.param({"DNSName": ""}, False, id="without a name it cannot be told"),
    ],
)
def test_a_node_shared_in_is_told_by_its_sharer_or_its_name(fields: dict[str, Any], *, shared_in: bool) -> None:
    assert peer(**fields).shared_in is shared_in


def test_without_a_suffix_names_stay_whole_and_nobody_is_foreign() -> None:
    found = tailnet(node("gpu", 2), MagicDNSSuffix="").peers[0]
    assert (found.name, found.shared_in) == ("gpu.tail-lab.ts.net", False)


def test_absent_fields_have_their_zero_value() -> None:
    found = tailnet({"ID": "n2"}).peers[0]
    assert found == Peer(
        id="n2",
        name="",
        dns_name="",
        host_name="",
        os="",
        user_id=0,
        login="",
        tags=(),
        addresses=(),
        online=False,
        expired=False,
        shared_out=False,
        shared_in=False,
        path="unknown",
    )


@pytest.mark.parametrize("fields", [{"Peer": None}, {"Peer": {}}, {"User": None}])
def test_null_and_empty_maps_are_a_tailnet_of_one(fields: dict[str, Any]) -> None:
    found = parse_status(json.dumps(status(**fields)).encode())
    assert not isinstance(found, Unavailable)
    assert found.peers == ()


def test_peers_come_in_the_order_of_their_keys_whatever_the_order_printed() -> None:
    document = status(node("gpu", 2), node("nas", 3), node("mac", 4))
    turned = document | {"Peer": dict(reversed(document["Peer"].items()))}
    assert parse_status(json.dumps(document).encode()) == parse_status(json.dumps(turned).encode())


def test_unknown_fields_are_ignored() -> None:
    assert tailnet(node("gpu", 2, CapMap={"a": [None]}), NewThing=[{}]).peers == tailnet(node("gpu", 2)).peers


@pytest.mark.parametrize("reason", list(Absence))
def test_each_absence_has_a_word_for_programs_and_a_text_for_people(reason: Absence) -> None:
    assert reason.word == reason.name.lower()
    assert len(reason.text) > 10


@pytest.mark.parametrize(
    ("raw", "own"),
    [
        pytest.param(b"no JSON", Own(), id="garbage"),
        pytest.param(b"[" * 100_000, Own(), id="deep garbage"),
        pytest.param(b'{"Version": 3}', Own(), id="a wrong type"),
        pytest.param(b"{}", Own("", "", expired=False), id="nothing is said"),
        pytest.param(b'{"Version": "1.102.5"}', Own("1.102.5"), id="the version"),
        pytest.param(b'{"Self": {}}', Own(), id="no key"),
        pytest.param(b'{"Self": {"KeyExpiry": null}}', Own(), id="a key that never expires"),
        pytest.param(
            b'{"Version": "1", "Self": {"KeyExpiry": "2027-01-15T08:00:00Z", "Expired": true}}',
            Own("1", "2027-01-15T08:00:00Z", expired=True),
            id="an expired key",
        ),
        pytest.param(
            json.dumps({"Version": "1" * 64, "Self": {"KeyExpiry": "2" * 64}}).encode(),
            Own("1" * 64, "2" * 64),
            id="long texts",
        ),
        pytest.param(
            json.dumps({"Version": "1" * 65, "Self": {"KeyExpiry": "2" * 65}}).encode(),
            Own("1" * 63 + "…", "2" * 63 + "…"),
            id="too long ones",
        ),
    ],
)
def test_what_is_said_of_this_machine_in_every_state(raw: bytes, own: Own) -> None:
    assert parse_own(raw) == own


def test_without_a_word_of_it_there_is_a_network_interface() -> None:
    found = parse_status(b'{"BackendState": "Running", "Self": {}, "MagicDNSSuffix": ""}')
    assert isinstance(found, Tailnet)
    assert (found.tun, found.self.expired, found.self.name, found.self.shared_in) == (True, False, "", False)


def test_without_a_suffix_a_name_is_nobody_s() -> None:
    found = parse_status(b'{"BackendState": "Running", "Self": {"DNSName": "box."}, "MagicDNSSuffix": ""}')
    assert isinstance(found, Tailnet)
    assert found.self.name == "box"
