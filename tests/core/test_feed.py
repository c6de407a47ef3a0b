"""Who is in a feed, in which order, and under which name; what each format says of them."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from ollama_locate.core.feed import Entry, Format, entries
from ollama_locate.core.feeds import FIRST, is_held, make
from ollama_locate.core.inventory import Model
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.snapshot import Snapshot
from tests.snapshots import GPU, NAS, alive, gone, snapshot
from tests.standins.tailscale import node

PEERS = (node("gpu", 2), node("nas", 3), node("pi", 4), node("bob", 5, UserID=2))
PROBES = {
    "n2:11434": alive(0.2, "mistral:latest", "qwen3:8b"),
    "n3:11434": alive(0.01, "mistral:latest"),
    "n4:11434": gone(Outcome.REFUSED),
    "local:11434": alive(0.001, "mistral:latest"),
}
CONFIG = """prefer = ["gpu", "*"]
[static]
lan = "http://192.168.1.20:8080"
office = "https://ollama.example.com"
port = "https://ollama.example.com:8443"
rack = "http://rack.lan:11434"
"""
WORLD = snapshot(PROBES, *PEERS, config=CONFIG)
PLAIN = snapshot(PROBES, *PEERS, config='prefer = ["gpu", "*"]')


def changed(what: Snapshot, whose: str, **more: Any) -> Snapshot:
    """The snapshot with another word about this server."""
    servers = tuple(replace(one, **more) if one.name == whose else one for one in what.servers)
    return replace(what, servers=servers)


def also(what: Snapshot, **more: Any) -> Snapshot:
    """The snapshot with one more server, as gpu but for these words."""
    gpu = next(one for one in what.servers if one.name == "gpu")
    return replace(what, servers=(*what.servers, replace(gpu, **{"key": "n9:11434", **more})))


def text(kind: Format, what: Snapshot) -> str:
    return make(kind, what).data.decode()


def entry(what: Snapshot, name: str) -> Entry:
    return next(one for one in entries(what).all if one.state.name == name)


# --- who is in one


def test_whoever_answered_or_was_typed_is_in_by_tier_and_name() -> None:
    found = [(one.name, one.place) for one in entries(WORLD).all]
    assert found == [
        *(("gpu", 0), ("lan", 1), ("nas", 1), ("office", 1), ("port", 1), ("rack", 1)),
        ("this-machine", 2),
    ], "pi never answered, and bob's is never asked"
    assert entries(WORLD).left_out == ()


@pytest.mark.parametrize("kind", list(Format))
@pytest.mark.parametrize(
    "what",
    [
        pytest.param(
            changed(PLAIN, "nas", rtt_ms=99.9, spread_ms=5.0, checked_at="2027-01-01T00:00:00Z"), id="a round trip"
        ),
        pytest.param(changed(PLAIN, "nas", standing="similar", text="…", answer_ms=9.0, busy=True), id="about as fast"),
        pytest.param(replace(PLAIN, round=99, written_at="2027-01-01T00:00:00Z", problems=("…",)), id="another round"),
        pytest.param(replace(PLAIN, servers=PLAIN.servers[::-1]), id="another order of the servers"),
        pytest.param(changed(PLAIN, "pi", outcome="silent", fails=9), id="one that never answered"),
    ],
)
def test_what_is_no_other_state_is_no_other_file(kind: Format, what: Snapshot) -> None:
    assert make(kind, what) == make(kind, PLAIN)


@pytest.mark.parametrize("kind", [Format.HAPROXY, Format.LITELLM])
def test_a_failure_is_no_other_file(kind: Format) -> None:
    down = changed(PLAIN, "nas", health="down", standing="down", outcome="refused", rtt_ms=None, fails=3)
    assert make(kind, down) == make(kind, PLAIN)


@pytest.mark.parametrize(
    ("more", "inside"),
    [
        pytest.param({"alive_at": None, "health": "down"}, False, id="it has not answered since the start"),
        pytest.param({"alive_at": None, "health": "up"}, True, id="it answers"),
        pytest.param({"health": "down"}, True, id="it has answered"),
        pytest.param({"kind": "self_check"}, False, id="this machine at its tailnet address"),
        pytest.param({"alive_at": None, "health": "unknown", "kind": "static"}, True, id="the user has typed it"),
        pytest.param({"alive_at": None, "health": "down", "key": PLAIN.decision.server}, True, id="the last good one"),
    ],
)
def test_who_is_known(more: dict[str, Any], *, inside: bool) -> None:
    found = entries(also(PLAIN, name="new", url="http://100.64.0.9:11434", **more)).all
    assert ("new" in [one.name for one in found]) is inside


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        pytest.param("http://100.64.0.9:11434", "100.64.0.9", 11434, id="IPv4"),
        pytest.param("http://[fd7a:115c:a1e0::9]:11434", "[fd7a:115c:a1e0::9]", 11434, id="IPv6"),
        pytest.param("https://a_b.c-d.example:65535", "a_b.c-d.example", 65535, id="a name"),
    ],
)
def test_an_address_is_taken_apart(url: str, host: str, port: int) -> None:
    found = entry(also(PLAIN, name="new", url=url), "new")
    assert (found.host, found.port, found.address) == (host, port, f"{host}:{port}")


@pytest.mark.parametrize("kind", list(Format))
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://100.64.0.9:11434\n    server evil 6.6.6.6:80", id="another line"),
        pytest.param("http://100.64.0.9:11434 check port 1", id="more words"),
        pytest.param("http://100.64.0.9:11434#", id="a comment"),
        pytest.param('http://100.64.0.9:11434", "order": 0, "x": "', id="out of the quotes"),
        pytest.param("http://${HOME}:80", id="a variable"),
        pytest.param("http://100.64.0.9", id="no port"),
        pytest.param("http://100.64.0.9:0", id="port 0"),
        pytest.param("http://100.64.0.9:65536", id="too high a port"),
        pytest.param("http://-a:80", id="an option"),
        pytest.param("http://" + "a" * 600 + ":80", id="endless"),
        pytest.param("unix:///run/a.sock", id="a socket"),
        pytest.param("https://a.example:443/ollama", id="a path"),
        pytest.param("", id="none"),
    ],
)
def test_an_address_that_cannot_be_written_leaves_the_server_out_with_the_reason(kind: Format, url: str) -> None:
    fed = make(kind, also(PLAIN, name="new\n\x1b[2J", url=url))
    assert fed.data == make(kind, PLAIN).data
    (sentence,) = fed.left_out
    assert sentence.startswith("new [2J is left out: its address cannot be written (")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("names", "written"),
    [
        pytest.param(["gpu"], ["gpu", "gpu-2"], id="the same name"),
        pytest.param(["gpu", "gpu-2"], ["gpu", "gpu-2", "gpu-2-2"], id="and the one that was made of it"),
        pytest.param(['a b"\n\x1bserver'], ["a-b-server"], id="what is no name"),
        pytest.param(["größe"], ["gr-e"], id="letters that not everybody takes"),
        pytest.param(["…"], ["server"], id="nothing is left of it"),
        pytest.param(["x" * 99], ["x" * 64], id="too long"),
    ],
)
def test_names_are_plain_and_unique(names: list[str], written: list[str]) -> None:
    what = PLAIN
    for number, name in enumerate(names, 20):
        what = also(what, key=f"n{number}:11434", name=name, url=f"http://100.64.0.{number}:11434")
    found = [one.name for one in entries(what).all]
    assert set(written) <= set(found)
    assert len(set(found)) == len(found) == len(names) + 3


def test_an_address_is_in_it_once() -> None:
    twice = also(PLAIN, name="pinned", url=NAS, kind="static", tier=5)
    assert [one.name for one in entries(twice).all] == ["gpu", "nas", "this-machine"]


@pytest.mark.parametrize("kind", list(Format))
@pytest.mark.parametrize("health", ["up", "down"])
@pytest.mark.parametrize(
    ("withheld", "says"),
    [
        ("needs_header", "it wants a header, which a feed does not hold"),
        ("needs_forward", "only a SOCKS5 proxy leads to it, which the engine would not use"),
    ],
)
def test_who_is_withheld_is_left_out_up_or_down(kind: Format, health: str, withheld: str, says: str) -> None:
    fed = make(kind, also(PLAIN, name="new", url="http://100.64.0.9:11434", withheld=withheld, health=health))
    assert fed.data == make(kind, PLAIN).data
    assert fed.left_out == (f"new is left out: {says}",)


def test_a_tier_that_nobody_has_named_is_the_last() -> None:
    assert entry(also(PLAIN, name="new", url="http://100.64.0.9:11434", tier=None), "new").place == 2


@pytest.mark.parametrize(
    ("what", "held"),
    [
        pytest.param(PLAIN, False, id="there are servers"),
        pytest.param(snapshot({}), False, id="there is none"),
        pytest.param(replace(snapshot({}), tailnet=replace(PLAIN.tailnet, state="starting")), True, id="who knows"),
        pytest.param(replace(PLAIN, tailnet=replace(PLAIN.tailnet, state="stopped")), False, id="those of before"),
        pytest.param(
            replace(snapshot({}), tailnets=(PLAIN.tailnet, replace(PLAIN.tailnet, name="work", state="stopped"))),
            True,
            id="they may be of the other tailnet",
        ),
    ],
)
def test_a_file_is_not_emptied_before_anybody_knows_who_there_is(what: Snapshot, *, held: bool) -> None:
    assert is_held(make(Format.HAPROXY, what), what) is held


@pytest.mark.parametrize("kind", list(Format))
@pytest.mark.parametrize("what", [PLAIN, snapshot({})], ids=["servers", "nobody"])
def test_a_file_shows_whose_it_is(kind: Format, what: Snapshot) -> None:
    assert text(kind, what).startswith(FIRST[kind])


# --- HAProxy


def lines(what: Snapshot) -> list[str]:
    return [line.strip() for line in text(Format.HAPROXY, what).splitlines()]


def test_the_first_tier_shares_and_the_others_stand_by() -> None:
    assert [line for line in lines(PLAIN) if line.startswith("server ")] == [
        "server gpu 100.64.0.2:11434",
        "server nas 100.64.0.3:11434 backup",
        "server this-machine 127.0.0.1:11434 backup",
    ]


def test_who_has_its_own_site_is_asked_for_it_and_a_certificate_is_verified() -> None:
    found = text(Format.HAPROXY, WORLD)
    tls = "ssl verify required ca-file @system-ca sni str(ollama.example.com) verifyhost ollama.example.com"
    assert "    server office abns@ollama-office backup\n" in found
    assert "    bind abns@ollama-office\n    http-request set-header Host ollama.example.com\n" in found
    assert f"    server office ollama.example.com:443 init-addr last,libc,none {tls}\n" in found
    assert "    http-request set-header Host ollama.example.com:8443\n" in found
    assert "    server rack rack.lan:11434 init-addr last,libc,none\n" in found
    assert "    server lan 192.168.1.20:8080 backup\n" in found, "an IP has one site"


def test_a_certificate_that_cannot_be_verified_is_a_reason() -> None:
    what = also(PLAIN, name="ip", url="https://192.168.1.9:443", kind="static")
    fed = make(Format.HAPROXY, what)
    assert fed.data == make(Format.HAPROXY, PLAIN).data
    assert fed.left_out == ("ip is left out: HAProxy verifies no certificate of an IP; use its host name in [static]",)


@pytest.mark.parametrize(
    ("models", "inside"), [((), False), (None, True), (("a:1",), True)], ids=["none", "not known", "one"]
)
def test_who_lists_no_model_serves_nobody(models: tuple[str, ...] | None, *, inside: bool) -> None:
    assert ("server gpu 100.64.0.2:11434" in lines(changed(PLAIN, "gpu", models=models))) is inside


def test_of_who_is_left_the_first_tier_is_the_first() -> None:
    assert "server nas 100.64.0.3:11434" in lines(changed(PLAIN, "gpu", models=()))


# --- LiteLLM


def models(what: Snapshot) -> list[tuple[str, str, str, int]]:
    found = text(Format.LITELLM, what).splitlines()[2:]
    entries = []
    for name, rest in zip(found[::2], found[1::2], strict=True):
        parameters = json.loads(rest.removeprefix("    litellm_params: "))
        entries.append((json.loads(name.removeprefix("  - model_name: ")), *parameters.values()))
    return entries


def test_each_model_of_each_server_is_an_entry_under_the_names_that_programs_ask_for() -> None:
    local = "http://localhost:11434"
    assert models(PLAIN) == [
        ("mistral", "ollama_chat/mistral:latest", GPU, 1),
        ("mistral", "ollama_chat/mistral:latest", NAS, 2),
        ("mistral", "ollama_chat/mistral:latest", local, 3),
        ("mistral:latest", "ollama_chat/mistral:latest", GPU, 1),
        ("mistral:latest", "ollama_chat/mistral:latest", NAS, 2),
        ("mistral:latest", "ollama_chat/mistral:latest", local, 3),
        ("qwen3:8b", "ollama_chat/qwen3:8b", GPU, 1),
    ]


@pytest.mark.parametrize(
    ("can", "provider"),
    [
        pytest.param(None, "ollama_chat", id="not known yet"),
        pytest.param(("completion", "tools"), "ollama_chat", id="it talks"),
        pytest.param(("embedding",), "ollama", id="it embeds"),
        pytest.param(("completion", "embedding"), "ollama_chat", id="both"),
    ],
)
def test_what_embeds_has_the_provider_that_does(can: tuple[str, ...] | None, provider: str) -> None:
    what = changed(snapshot(PROBES, *PEERS), "gpu", models=("a:1",), inventory=(Model("a:1", can=can),))
    what = changed(changed(what, "nas", models=()), "this machine", models=())
    entry = f'  - model_name: "a:1"\n    litellm_params: {{"model":"{provider}/a:1","api_base":"{GPU}","order":1}}\n'
    mode = '    model_info: {"mode":"embedding"}\n' if provider == "ollama" else ""
    assert text(Format.LITELLM, what).endswith(f"\nmodel_list:\n{entry}{mode}")


@pytest.mark.parametrize("known", [(), None], ids=["none", "not known"])
def test_a_server_without_a_list_has_no_entry(known: tuple[str, ...] | None) -> None:
    assert GPU not in text(Format.LITELLM, changed(PLAIN, "gpu", models=known))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("os.environ/AWS_SECRET_ACCESS_KEY", id="LiteLLM would show a secret"),
        pytest.param('a"\n  - model_name: evil', id="out of the quotes"),
        pytest.param("*", id="every model there is"),
    ],
)
def test_a_model_that_cannot_be_written_is_left_out_with_the_reason(name: str) -> None:
    fed = make(Format.LITELLM, changed(PLAIN, "nas", models=("mistral:latest", name)))
    assert fed.data == make(Format.LITELLM, PLAIN).data
    (sentence,) = fed.left_out
    assert sentence.startswith("a model of nas is left out: its name cannot be written (")
    assert "\n" not in sentence


def test_nobody_is_an_empty_list() -> None:
    assert text(Format.LITELLM, snapshot({})).endswith("\nmodel_list: []\n")


# --- Prometheus


def groups(what: Snapshot) -> dict[str, dict[str, str]]:
    """The labels of each target."""
    found = json.loads(text(Format.PROMETHEUS, what))
    return {target: group["labels"] for group in found for target in group["targets"]}


def test_each_server_is_a_target_with_its_labels() -> None:
    assert groups(WORLD) == {
        "100.64.0.2:11434": {"server": "gpu", "tier": "0", "path": "direct", "standing": "chosen"},
        "192.168.1.20:8080": {"server": "lan", "tier": "1", "path": "unknown", "standing": "down"},
        "100.64.0.3:11434": {"server": "nas", "tier": "1", "path": "direct", "standing": "spare"},
        "ollama.example.com:443": {
            "server": "office",
            "tier": "1",
            "path": "unknown",
            "standing": "down",
            "__scheme__": "https",
        },
        "ollama.example.com:8443": {
            "server": "port",
            "tier": "1",
            "path": "unknown",
            "standing": "down",
            "__scheme__": "https",
        },
        "rack.lan:11434": {"server": "rack", "tier": "1", "path": "unknown", "standing": "down"},
        "localhost:11434": {"server": "this machine", "tier": "2", "path": "local", "standing": "spare"},
    }


@pytest.mark.parametrize(
    ("standing", "word"),
    [
        *((one, "spare") for one in ("slower", "similar", "lower_tier", "no_models", "reported", "held_down")),
        *((one, "down") for one in ("failing", "down", "unchecked", "unreachable")),
    ],
)
def test_a_standing_is_one_of_three_words(standing: str, word: str) -> None:
    assert groups(changed(PLAIN, "nas", standing=standing))["100.64.0.3:11434"]["standing"] == word


def test_a_name_is_whatever_it_is_without_control_characters() -> None:
    what = changed(PLAIN, "nas", name='größe "1"\x1b[2J')
    assert groups(what)["100.64.0.3:11434"]["server"] == 'größe "1" [2J'
