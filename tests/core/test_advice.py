"""What a person can do, in sentences."""

from dataclasses import replace

import pytest

from ollama_locate.core.advice import advice, listed, mend
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.pin import Pin
from ollama_locate.core.selection import Local
from ollama_locate.core.tailnet import Absence
from ollama_locate.core.trust import Policy
from tests.standins.tailscale import node

from .test_snapshot import of, server, snap
from .world import Step, World, away, key, look, no, ok, settings, tailnet

PINNED = "The pinned server does not answer. To use what was found instead, type: ollama-locate unpin"
WITHOUT = "Without it none of its machines is used."
SERVE = "tailscale serve --bg --tcp {0} tcp://127.0.0.1:{0}"


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        pytest.param([look("gpu"), ok("gpu")], [], id="all is well"),
        pytest.param(
            [away(Absence.STOPPED)],
            [f"Tailscale: Tailscale is turned off; `tailscale up` turns it on. {WITHOUT}"],
            id="tailscale is off",
        ),
        pytest.param(
            [away(Absence.NOT_INSTALLED)],
            [
                f"Tailscale: tailscale is not installed, or its command was not found. {WITHOUT}",
                'If it is installed, write where its command is into the config: tailscale = "/path/of/it"',
            ],
            id="tailscale is not found",
        ),
        pytest.param(
            [look()],
            ["Your tailnet has no other machine; install Tailscale on the one that runs Ollama."],
            id="nobody else is there",
        ),
        pytest.param(
            [look("gpu", UserID=2)],
            ["No machine of the tailnet may be asked (1 left alone); see `allow` in the config."],
            id="nobody is trusted",
        ),
        pytest.param(
            [look("gpu", "nas"), no("gpu", Outcome.REFUSED), no("nas", Outcome.REFUSED)],
            [
                "gpu, nas: nothing listens on port 11434. If Ollama runs there, publish it by typing, there: "
                + SERVE.format(11434)
            ],
            id="two refuse: the line that mends it",
        ),
        pytest.param(
            [look("gpu"), no("gpu", Outcome.EMPTY)],
            ["gpu: accepts, but no Ollama answers behind it. Start Ollama there again."],
            id="tailscale serve before a dead Ollama",
        ),
        pytest.param(
            [look("gpu"), no("gpu", Outcome.NOT_OLLAMA)],
            ["gpu: something other than Ollama answers on port 11434."],
            id="another program",
        ),
        pytest.param(
            [look("gpu"), no("gpu")],
            ["gpu: silent. It may be off, asleep, or kept away by the tailnet's access rules."],
            id="silent",
        ),
        pytest.param([look("gpu"), no("gpu", Outcome.ERROR)], ["gpu: could not be probed (unknown)."], id="an error"),
        pytest.param(
            [look("gpu"), ok("gpu", 5, ())],
            ["gpu: up, but it lists no model. Pull one there: ollama pull mistral"],
            id="no model",
        ),
    ],
)
def test_advice(steps: list[Step], want: list[str]) -> None:
    assert advice(snap(*steps)) == want


@pytest.mark.parametrize(
    ("outcome", "start"),
    [
        pytest.param(Outcome.SILENT, "den: silent. It may be off, asleep, or kept away by a firewall.", id="silent"),
        pytest.param(Outcome.REFUSED, "den: nothing listens on port 11434. Start Ollama there, at", id="refused"),
        pytest.param(Outcome.FORBIDDEN_HOST, "den: answers 403, since its Ollama does not know the name", id="403"),
        pytest.param(Outcome.EMPTY, "den: accepts, but no Ollama answers behind it.", id="as everybody's"),
    ],
)
def test_a_server_of_the_config_is_mended_without_tailscale(outcome: Outcome, start: str) -> None:
    found = snap(look("gpu"), ok("gpu"), no("static:den", outcome), chosen=settings(static={"den": "10.0.0.7"}))
    (sentence,) = advice(found)
    assert sentence.startswith(start)
    assert "ail" not in sentence
    assert mend(server(found, "static:den")) == sentence


def test_one_that_answered_before_is_to_be_started_again_and_the_others_to_be_published() -> None:
    steps = (look("gpu", "nas"), ok("gpu"), no("gpu", Outcome.REFUSED, times=3), no("nas", Outcome.REFUSED))
    ended, never = advice(snap(*steps))
    assert ended.startswith("gpu: nothing listens on port 11434 any more. Start Ollama there again; if it runs,")
    assert never.startswith("nas: nothing listens on port 11434. If Ollama runs there, publish it")


def test_a_loopback_bound_ollama_behind_userspace_networking_is_told_how_to_listen() -> None:
    (sentence,) = advice(snap(look("gpu"), no("gpu", Outcome.FORBIDDEN_HOST)))
    assert "403" in sentence
    assert sentence.endswith("OLLAMA_HOST=0.0.0.0")


def test_the_most_useful_comes_first() -> None:
    sentences = advice(snap(look("gpu", "nas", "mac"), no("gpu"), no("nas", Outcome.REFUSED), ok("mac", 5, ())))
    assert [sentence.partition(":")[0] for sentence in sentences] == ["nas", "gpu", "mac"]


def test_a_long_list_of_names_is_cut() -> None:
    world = World()
    world.locator.see(tailnet(*(node(f"n{number}", number) for number in range(10, 18))), world.now)
    for number in range(10, 18):
        world.no(f"n{number}:11434")
    (sentence,) = advice(of(world, world.locator.conclude(world.now)))
    assert sentence.startswith("n10, n11, n12, n13, n14, n15 and 2 more: silent.")


def test_the_port_is_the_one_that_was_asked() -> None:
    chosen = settings(Policy((8080,)))
    steps = (look("gpu", "nas"), no("n2:8080", Outcome.REFUSED))
    (sentence,) = advice(snap(*steps, chosen=chosen))
    assert SERVE.format(8080) in sentence


def test_the_port_is_the_one_that_was_asked_of_several_too() -> None:
    chosen = settings(Policy((8080,)))
    steps = (look("gpu", "nas"), no("n2:8080", Outcome.REFUSED), no("n3:8080", Outcome.REFUSED))
    (sentence,) = advice(snap(*steps, chosen=chosen))
    assert SERVE.format(8080) in sentence


def test_this_machine_is_named_once() -> None:
    sentences = advice(snap(look("gpu"), ok("local", 1, ()), ok("self", 1, ()), chosen=settings(local=Local.AUTO)))
    assert [sentence for sentence in sentences if "this machine, this machine" in sentence] == []


@pytest.mark.parametrize(
    ("step", "want"),
    [
        pytest.param(ok("gpu"), None, id="nothing to do"),
        pytest.param(no("gpu", Outcome.REFUSED), SERVE.format(11434), id="it refuses"),
    ],
)
def test_the_mend_of_one_server(step: Step, want: str | None) -> None:
    found = mend(server(snap(look("gpu"), step), "gpu"))
    assert (found is None) if want is None else (found is not None and found.endswith(want))


def test_there_is_no_mend_before_it_was_asked() -> None:
    assert mend(server(snap(look("gpu")), "gpu")) is None


def test_this_machine_is_not_told_to_publish_what_does_not_run() -> None:
    chosen = settings(local=Local.LAST)
    assert "tailscale serve" not in (
        mend(server(snap(look(), no("local", Outcome.REFUSED), chosen=chosen), "local")) or ""
    )


@pytest.mark.parametrize(
    ("check", "want"),
    [
        pytest.param(no("self", Outcome.REFUSED), 1, id="no Ollama runs here"),
        pytest.param(ok("self"), 0, id="it listens on the tailnet's address only"),
    ],
)
def test_this_machine_is_told_how_to_start_its_own(check: Step, want: int) -> None:
    chosen = settings(local=Local.AUTO)
    found = advice(snap(look("gpu"), ok("gpu"), no("local", Outcome.REFUSED), check, chosen=chosen))
    assert len([sentence for sentence in found if sentence.endswith("ollama serve")]) == want


def test_the_detail_of_an_error_is_said() -> None:
    world = World()
    world.look("gpu")
    world.locator.finish(key("gpu"), Probe(Outcome.ERROR, world.now, "HTTP 503"), world.now)
    assert advice(of(world, world.locator.conclude(world.now))) == ["gpu: could not be probed (HTTP 503)."]


def test_a_pin_that_does_not_answer_is_said_first() -> None:
    chosen = replace(settings(), pin=Pin("nas", "http://100.64.0.3:11434", key("nas")))
    found = advice(snap(look("gpu", "nas"), ok("gpu"), no("nas"), chosen=chosen))
    assert found[0] == PINNED


@pytest.mark.parametrize(
    ("names", "text"),
    [(0, ""), (1, "n0"), (6, "n0, n1, n2, n3, n4, n5"), (7, "n0, n1, n2, n3, n4, n5 and 1 more")],
)
def test_a_few_names(names: int, text: str) -> None:
    assert listed(f"n{number}" for number in range(names)) == text


@pytest.mark.parametrize(
    ("step", "told"),
    [
        pytest.param(no("local", Outcome.REFUSED), True, id="none runs here"),
        pytest.param(no("local"), False, id="it hangs"),
        pytest.param(ok("local"), False, id="it runs"),
    ],
)
def test_how_to_start_it_here_is_said_of_none_only(step: Step, *, told: bool) -> None:
    found = snap(look("gpu"), ok("gpu"), step, no("self"), chosen=settings(local=Local.AUTO))
    assert bool(mend(server(found, "local"))) is told
    assert any(sentence.endswith("ollama serve") for sentence in advice(found)) is told


def test_one_that_is_down_is_not_asked_to_pull() -> None:
    assert not any("pull" in one for one in advice(snap(look("gpu"), ok("gpu", 5, ()), no("gpu", Outcome.REFUSED, 3))))
