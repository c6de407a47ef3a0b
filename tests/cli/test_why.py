"""`ollama-locate why`: the reasons, and how the endpoint is watched."""

import datetime as dt
import json
from typing import Any

import pytest
from msgspec.structs import replace

from ollama_locate.core.lan import Unfit
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.snapshot import RejectedState
from tests.cli.command import PEERS, PROBES, Command
from tests.snapshots import GPU, NAS, alive, gone, snapshot
from tests.standins.tailscale import node


def test_why_names_the_reason_of_every_peer(run: Command) -> None:
    out = run("why")[1]
    for row in (
        f"{GPU} (gpu, fresh): it has the lowest round trip.",
        "nas\tslower\t200 ms\tits round trip is longer",
        "pi\trefused\t-\trefuses: no Ollama there, or it listens on 127.0.0.1 only",
        "old\tsilent\t-\tis silent: off, asleep, or kept away by the tailnet's ACL",
        "bob\t100.64.0.6\tit belongs to another user (allow it by name, if you trust it)",
        "phone\t100.64.0.7\tOllama does not run on phones and TVs",
        "this machine\trefused\t-\tno Ollama runs here",
    ):
        assert row in out.splitlines(), row
    assert "\x1b" not in out
    assert out.count("this machine") == 1


@pytest.mark.parametrize(
    ("probes", "config", "rows"),
    [
        pytest.param(
            {"local:11434": alive(0.001, "m:1"), "self:11434": gone(Outcome.REFUSED)},
            "",
            ["chosen; it does not serve the tailnet"],
            id="it serves itself only",
        ),
        pytest.param(
            {"local:11434": gone(Outcome.REFUSED), "self:11434": alive(0.001, "m:1")},
            "",
            ["no Ollama runs here; one answers at its tailnet address"],
            id="it listens at its tailnet address only",
        ),
        pytest.param({"local:11434": alive(0.001, "m:1")}, "", ["chosen"], id="not asked at its tailnet address yet"),
        pytest.param({}, 'local = "last"', ["waits for its next check"], id="there is no check"),
    ],
)
def test_this_machine_is_one_row(run: Command, probes: dict[str, Probe], config: str, rows: list[str]) -> None:
    run.publish(snapshot(probes, node("gpu", 2), config=config))
    out = run("why")[1].splitlines()
    assert [line.rpartition("\t")[2] for line in out if line.startswith("this machine\t")] == rows
    assert run("why", "this machine")[1].count("this machine: ") == 1
    kinds = [one["kind"] for one in json.loads(run("why", "--json")[1])["servers"]]
    assert kinds.count("self_check") == (not config), "as data they are two"


def test_the_check_of_this_machine_can_be_asked_for(run: Command) -> None:
    assert run("why", "self_check")[1].startswith("this machine: self check: ")


def test_why_says_that_a_variable_set_by_hand_wins(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_ENDPOINT", "http://10.0.0.1:1")
    assert "OLLAMA_ENDPOINT was set by hand, to http://10.0.0.1:1; that wins here" in run("why")[1]
    monkeypatch.setenv("OLLAMA_LOCATE_APPLIED", "OLLAMA_ENDPOINT=http://10.0.0.1:1")
    assert "by hand" not in run("why")[1]


@pytest.mark.parametrize(
    ("peer", "sentence"),
    [
        pytest.param("gpu", "gpu: chosen: chosen", id="by name"),
        pytest.param("GPU", "  version\t0.17.4", id="in capitals"),
        pytest.param("100.64.0.3", "nas: slower: its round trip is longer", id="by address"),
        pytest.param(NAS + "/", "nas: slower", id="by URL"),
        pytest.param("pi", "publish it by typing, there: tailscale serve", id="what to do there"),
        pytest.param(
            "bob", "bob (100.64.0.6, fd7a:115c:a1e0::6) is left alone: it belongs to another user", id="another's"
        ),
    ],
)
def test_why_one_peer(run: Command, peer: str, sentence: str) -> None:
    code, out, _ = run("why", peer)
    assert code == 0
    assert sentence in out


def test_why_somebody_unknown_lists_who_is_known(run: Command) -> None:
    code, out, err = run("why", "gup\x1b[2J")
    assert (code, out) == (1, "")
    assert "nobody is called `gup [2J`; there are: " in err
    assert "gpu" in err


def test_why_as_json(run: Command) -> None:
    data = json.loads(run("why", "--json")[1])
    assert [one["standing"] for one in data["servers"]][:2] == ["chosen", "slower"]
    assert {one["reason"] for one in data["rejected"]} == {"other_user", "phone_or_tv"}
    assert json.loads(run("why", "bob", "--json")[1])["servers"] == []


# --- how it is watched

MADE = snapshot(PROBES, *PEERS)


def soon(seconds: float) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("sentinel", "watch", "sentence"),
    [
        (
            "on",
            "bus",
            "a connection is held to it, whose end is noticed at once (a silent one within 6 s); tailscaled says",
        ),
        ("battery", "bus", "(on battery a silent one within 14 s)"),
        ("closes_idle", "bus", "it closes connections that are idle, so that it is watched by its regular checks"),
        ("none", "poll", "by its regular checks; the tailnet is looked at every `interval`, as tailscaled's socket"),
        ("off", "poll", "(`sentinel` is off in the config)"),
    ],
)
def test_why_says_how_it_is_watched(run: Command, sentinel: str, watch: str, sentence: str) -> None:
    decision, tailnet = replace(MADE.decision, sentinel=sentinel), replace(MADE.tailnet, watch=watch)
    run.publish(replace(MADE, decision=decision, tailnet=tailnet))
    watched = run("why")[1].splitlines()[1]
    assert watched.startswith("Watched: ")
    assert sentence in watched


def test_without_a_server_nothing_is_watched(run: Command) -> None:
    run.publish(snapshot({}, *PEERS))
    assert "Watched" not in run("why")[1]


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        pytest.param(
            {"standing": "held_down", "text": "held", "held_until": 300}, "held (for another 5 min)", id="held"
        ),
        pytest.param(
            {"standing": "reported", "text": "it fails", "reported_until": 180},
            "it fails (for another 3 min)",
            id="reported",
        ),
        pytest.param({"busy": True, "answer_ms": 2500.0}, "(busy: its answers take 2.5 s)", id="busy"),
        pytest.param({"busy": True}, "(busy: its answers take longer than it is waited for)", id="busier"),
        pytest.param({"held_until": 300}, "it has the lowest", id="held, and chosen: no word of it"),
    ],
)
def test_what_is_special_about_a_server(run: Command, fields: dict[str, Any], row: str) -> None:
    first, *others = MADE.servers
    # A second more, as it takes a moment to look.
    times = {name: soon(value + 1) for name, value in fields.items() if name.endswith("_until")}
    run.publish(replace(MADE, servers=(replace(first, **{"text": "it has the lowest", **fields, **times}), *others)))
    assert any(row in line for line in run("why")[1].splitlines() if line.startswith("gpu\t"))


def test_one_server_in_full(run: Command) -> None:
    first, *others = MADE.servers
    more = {"answer_ms": 12.0, "alive_at": soon(-4), "checked_at": soon(-90)}
    run.publish(replace(MADE, servers=(replace(first, **more), *others)))
    assert run("why", "gpu")[1].splitlines()[1:] == [
        f"  endpoint\t{GPU}",
        "  answer\talive",
        "  health\tup",
        "  round trip\t10.0 ms, spread 1.0 ms",
        "  answer time\t0.012 s",
        "  last alive\t4 s ago",
        "  path\tdirect",
        "  version\t0.17.4",
        "  models\tmistral:latest, qwen3:8b",
        "  asked\t2 min ago",
    ]


@pytest.mark.parametrize("name", ["pi", "bad [2Jname"])
def test_of_one_that_never_answered_no_row_is_empty(run: Command, name: str) -> None:
    rows = [line.split("\t") for line in run("why", name)[1].splitlines() if line.startswith("  ") and "\t" in line]
    assert {"  round trip", "  last alive", "  version", "  models"}.isdisjoint(row[0] for row in rows)
    assert all(value not in ("", "-") for _, value in rows)


def test_a_long_list_of_models_is_cut_and_an_empty_one_is_said(run: Command) -> None:
    models = tuple(f"m{number}:x" for number in range(10))
    run.publish(snapshot({"n2:11434": alive(0.01, *models), "n3:11434": alive(0.02)}, node("gpu", 2), node("nas", 3)))
    assert run("why", "gpu")[1].splitlines()[-2].endswith("m7:x and 2 more")
    assert "  models\tnone" in run("why", "nas")[1].splitlines()


def test_one_that_died_just_now_answered_until_then(run: Command) -> None:
    first, *others = MADE.servers
    more = {"standing": "down", "outcome": "refused", "text": "refuses now", "health": "down", "alive_at": soon(-200)}
    run.publish(replace(MADE, servers=(replace(first, **more), *others)))
    assert "gpu\trefused\t10.0 ms\trefuses now (it answered until 3 min ago)" in run("why")[1].splitlines()
    assert "nothing listens on port 11434 any more. Start Ollama there again" in run("why", "gpu")[1]


def test_who_was_found_on_the_lan_and_is_not_allowed_comes_with_the_line_to_write(run: Command) -> None:
    found = RejectedState(
        "mdns:box._ollama._tcp.local.",
        "gpu-box.local",
        ("192.168.1.20",),
        Unfit.NOT_ALLOWED.word,
        Unfit.NOT_ALLOWED.text,
        "mdns",
    )
    run.publish(replace(snapshot({}, node("gpu", 2)), rejected=(found,)))
    assert "gpu-box.local\t192.168.1.20\tmDNS found it, and `[mdns] allow` has neither" in run("why")[1]
    out = run("why", "192.168.1.20")[1]
    assert out.startswith("gpu-box.local (192.168.1.20) is left alone: mDNS found it")
    assert 'under [mdns]: allow = ["192.168.1.20"]\n' in out
