"""What changed, for the log: each change is said once."""

import msgspec
import pytest

from ollama_locate.core.changes import Level, changes, headline
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.selection import Local
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.tailnet import Absence

from .test_snapshot import of
from .world import Step, World, after, away, decide, look, no, ok, settings

REFUSED = Outcome.REFUSED
ENDED = "refuses now: its Ollama has ended, or listens elsewhere"
START = (look("gpu", "nas"), ok("gpu", 5), ok("nas", 40), decide, after(1))


def pair(before: tuple[Step, ...], then: tuple[Step, ...], local: Local = Local.OFF) -> tuple[Snapshot, Snapshot]:
    world = World(settings(local=local))
    found = []
    for steps in (before, then):
        for step in steps:
            step(world)
        found.append(of(world, world.locator.conclude(world.now)))
    return found[0], found[1]


def said(before: tuple[Step, ...], *then: Step, local: Local = Local.OFF) -> list[tuple[str, str]]:
    return [(level.name, sentence) for level, sentence in changes(*pair(before, then, local))]


def test_the_first_snapshot_is_said_whole() -> None:
    first, _ = pair(START, ())
    assert [sentence for _, sentence in changes(None, first)] == [
        "endpoint is http://100.64.0.2:11434 (gpu, 5.0 ms): it has the lowest round trip",
        "tailnet: running, 2 to ask, 0 left alone (`ollama-locate why` says why)",
        "gpu: up, 5.0 ms",
        "nas: up, 40.0 ms",
    ]


@pytest.mark.parametrize(
    "then",
    [
        pytest.param((), id="nothing happened"),
        pytest.param((after(30), ok("gpu", 6), ok("nas", 41)), id="all answered again"),
        pytest.param((ok("gpu", 5, ("x:1",)),), id="another model is there"),
    ],
)
def test_what_has_not_changed_is_not_said(then: tuple[Step, ...]) -> None:
    assert said(START, *then) == []


@pytest.mark.parametrize(
    ("then", "want"),
    [
        pytest.param(
            (no("gpu"),),
            [("INFO", f"gpu: in doubt: {Outcome.SILENT.text}; the next checks decide")],
            id="in doubt",
        ),
        pytest.param(
            (no("gpu", REFUSED), ok("nas", 40), no("gpu", REFUSED, times=2)),
            [
                ("INFO", "endpoint is http://100.64.0.3:11434 (nas, 40.0 ms): it is the only server that answers"),
                ("WARNING", f"gpu: {ENDED}"),
            ],
            id="the current one fell, another took over",
        ),
        pytest.param(
            (no("nas", REFUSED, times=3), no("gpu", REFUSED, times=3)),
            [
                ("WARNING", "endpoint stays http://100.64.0.2:11434 (gpu), stale: no server answers any more"),
                ("WARNING", f"gpu: {ENDED}"),
                ("WARNING", f"nas: {ENDED}"),
            ],
            id="all fell",
        ),
        pytest.param(
            (away(Absence.STOPPED),),
            [
                ("WARNING", "endpoint stays http://100.64.0.2:11434 (gpu), stale: Tailscale is not up"),
                ("WARNING", "tailnet: Tailscale is turned off; `tailscale up` turns it on"),
            ],
            id="tailscale was turned off",
        ),
        pytest.param(
            (look("nas"),),
            [
                ("INFO", "endpoint is http://100.64.0.3:11434 (nas, 40.0 ms): it is the only server that answers"),
                ("INFO", "gpu: no longer a server of the tailnet"),
            ],
            id="the current one left",
        ),
        pytest.param(
            (look(),),
            [
                ("WARNING", "endpoint is http://localhost:11434: no server has been found, so this is the default;"),
                ("INFO", "gpu: no longer a server of the tailnet"),
                ("INFO", "nas: no longer a server of the tailnet"),
            ],
            id="all left",
        ),
        pytest.param((look("gpu", "nas", "mac"), no("mac")), [("DEBUG", "mac: is silent")], id="a new one"),
        pytest.param((look("gpu", "nas", "mac"),), [], id="a new one that was not asked yet"),
    ],
)
def test_what_has_changed_is_said_once(then: tuple[Step, ...], want: list[tuple[str, str]]) -> None:
    found = said(START, *then)
    assert [level for level, _ in found] == [level for level, _ in want]
    assert all(sentence.startswith(part) for (_, sentence), (_, part) in zip(found, want, strict=True))


def test_a_server_of_unknown_round_trip_is_said_without() -> None:
    assert said((look("gpu"),), ok("gpu", None))[-1] == ("INFO", "gpu: up")
    assert said((look("gpu"),), ok("gpu", None))[0][1].startswith("endpoint is http://100.64.0.2:11434 (gpu): ")


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        pytest.param((look("gpu"), no("gpu")), "no server has been found, so this is the default", id="none"),
        pytest.param((look("gpu", "nas"), no("nas"), ok("gpu", 5.125)), "gpu 5.12 ms, 1 server", id="one"),
        pytest.param(
            (*START, ok("self"), ok("local", None)), "this machine, 3 servers", id="three, and its self-check"
        ),
        pytest.param(
            (look("gpu"), ok("gpu"), no("local"), no("self"), decide, no("gpu", REFUSED, 3)),
            "gpu, stale: no server",
            id="stale",
        ),
    ],
)
def test_the_headline(steps: tuple[Step, ...], text: str) -> None:
    found, _ = pair(steps, (), Local.AUTO)
    assert headline(found).startswith(text)


def test_a_stale_one_of_before_stays_and_a_server_is_first_seen_dead_without_a_warning() -> None:
    world = World(before="gpu")
    for step in (look("gpu", "nas"), no("gpu"), no("nas")):
        step(world)
    first = of(world, world.locator.conclude(world.now))
    assert changes(None, first)[0][1].startswith("endpoint stays http://100.64.0.2:11434 (gpu), stale: ")
    world.look("gpu", "nas", TailscaleIPs=["100.64.0.99"])
    other = of(world, world.locator.conclude(world.now))
    assert changes(first, other)[0][1].startswith("endpoint is http://100.64.0.99:11434 (gpu), stale: ")


def test_the_reason_of_a_failure_is_said_and_only_a_fall_is_a_warning() -> None:
    world = World()
    world.look("gpu")
    found = [of(world, world.locator.conclude(world.now))]
    for outcome, detail in ((Outcome.SILENT, ""), (Outcome.ERROR, "no route")):
        world.locator.finish("n2:11434", Probe(outcome, world.now, detail), world.now)
        found.append(of(world, world.locator.conclude(world.now)))
    assert [(level.name, text.endswith(" (no route)")) for level, text in changes(found[1], found[2])] == [
        ("DEBUG", True)
    ]


def test_who_rings_is_said_elsewhere() -> None:
    first, _ = pair(START, ())
    rung = msgspec.structs.replace(first, tailnet=msgspec.structs.replace(first.tailnet, watch="bus"))
    assert changes(first, rung) == []


def test_not_having_looked_yet_is_no_warning() -> None:
    first, _ = pair((), ())
    levels = [level for level, sentence in changes(None, first) if sentence.startswith("tailnet")]
    assert levels == [Level.DEBUG]


def test_the_self_check_is_nobody_s_news() -> None:
    assert said((look(), no("local")), ok("self"), local=Local.AUTO) == []
