"""The hooks, in real shells on a terminal: the rule of the marker, point by point (docs/files.md)."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import pytest

from .followed import MARK, OFF, ONE, SIX, TWO, Followed
from .shells import Shell, shells
from .terminal import Terminal, terminal


class World:
    """A shell with the hook, which starts when it is first needed, and what it follows."""

    def __init__(self, shell: Shell, folder: Path, environment: dict[str, str], until: ExitStack) -> None:
        self.followed = Followed(shell, folder)
        self._terminal = terminal(shell, folder, environment, self.followed.line)
        self._until = until

    @cached_property
    def terminal(self) -> Terminal:
        return self._until.enter_context(self._terminal)


Step = Callable[[World], None]


def publish(**variables: str) -> Step:
    return lambda world: world.followed.publish(**variables)


def spoil(text: bytes) -> Step:
    return lambda world: world.followed.write(text)


def remove(world: World) -> None:
    world.followed.file.unlink()


def by_hand(name: str, value: str) -> Step:
    return lambda world: world.terminal.do(world.terminal.shell.set(name, value))


def unset(name: str) -> Step:
    return lambda world: world.terminal.do(f"{world.terminal.shell.unset} {name}")


def nest(world: World) -> None:
    world.terminal.nest()


def again(world: World) -> None:
    """Source the hook once more."""
    world.terminal.do(world.followed.line)


def in_order(mark: str) -> str:
    """The order of the marker's entries says nothing."""
    return ",".join(sorted(mark.split(",")))


def seen(**expected: str) -> Step:
    """At the next prompt these are what a command gets: A, B, C and the marker (`mark`), and none of them else."""

    wanted = {name: in_order(value) if name == "mark" else value for name, value in expected.items()}

    def step(world: World) -> None:
        world.terminal.type("")
        found = world.terminal.environment()
        marks = {} if MARK not in found else {"mark": in_order(found[MARK])}
        assert {name: found[name] for name in "ABC" if name in found} | marks == wanted

    return step


SCENARIOS: dict[str, tuple[dict[str, str], list[Step]]] = {
    "unset: it is set": ({}, [publish(A=ONE), seen(A=ONE, mark=f"A={ONE}")]),
    "empty: it is set": ({"A": ""}, [publish(A=ONE), seen(A=ONE, mark=f"A={ONE}")]),
    "it follows, every time": (
        {},
        [publish(A=ONE), seen(A=ONE, mark=f"A={ONE}"), publish(A=TWO), seen(A=TWO, mark=f"A={TWO}")],
    ),
    "two changes within a second, and back to the first": (
        {},
        [
            *(publish(A=ONE), seen(A=ONE, mark=f"A={ONE}"), publish(A=TWO), publish(A=SIX), publish(A=TWO)),
            *(seen(A=TWO, mark=f"A={TWO}"), publish(A=SIX), publish(A=ONE), seen(A=ONE, mark=f"A={ONE}")),
        ],
    ),
    "set by hand before: it wins": ({"A": "mine"}, [publish(A=ONE), seen(A="mine", mark="")]),
    "set by hand in the shell: it wins, whatever follows": (
        {},
        [
            *(publish(A=ONE), seen(A=ONE, mark=f"A={ONE}"), by_hand("A", "my own")),
            *(seen(A="my own", mark=f"A={ONE}"), publish(A=TWO), seen(A="my own", mark=f"A={ONE}")),
        ],
    ),
    "unset by hand: it is ours again": (
        {},
        [publish(A=ONE), seen(A=ONE, mark=f"A={ONE}"), unset("A"), seen(A=ONE, mark=f"A={ONE}")],
    ),
    "unset after it was overridden: it is ours again": (
        {"A": "mine"},
        [publish(A=ONE), seen(A="mine", mark=""), unset("A"), seen(A=ONE, mark=f"A={ONE}")],
    ),
    "the value that we had set comes back: it is ours still": (
        {},
        [
            *(publish(A=ONE), seen(A=ONE, mark=f"A={ONE}"), by_hand("A", "mine"), publish(A=TWO)),
            *(seen(A="mine", mark=f"A={ONE}"), by_hand("A", ONE), seen(A=TWO, mark=f"A={TWO}")),
        ],
    ),
    "the value that is published, set by hand: it stays when that changes": (
        {"A": ONE},
        [publish(A=ONE), seen(A=ONE, mark=""), publish(A=TWO), seen(A=ONE, mark="")],
    ),
    "a pane of tmux with the values of yesterday: it follows": (
        {"A": ONE, MARK: f"A={ONE}"},
        [publish(A=TWO), seen(A=TWO, mark=f"A={TWO}")],
    ),
    "yesterday's marker and a value of one's own": (
        {"A": "mine", MARK: f"A={ONE}"},
        [publish(A=TWO), seen(A="mine", mark=f"A={ONE}")],
    ),
    "a shell in a shell follows, and leaves what was set by hand": (
        {"B": "mine"},
        [
            *(publish(A=ONE, B=ONE), seen(A=ONE, B="mine", mark=f"A={ONE}"), by_hand("A", "my own"), nest),
            *(seen(A="my own", B="mine", mark=f"A={ONE}"), publish(A=TWO, B=TWO), unset("B")),
            seen(A="my own", B=TWO, mark=f"A={ONE},B={TWO}"),
        ],
    ),
    "turned off in the config: it is unset": (
        {},
        [
            *(publish(A=ONE, B=ONE), seen(A=ONE, B=ONE, mark=f"A={ONE},B={ONE}")),
            *(publish(A=ONE), seen(A=ONE, mark=f"A={ONE}"), publish(A=ONE, B=TWO)),
            seen(A=ONE, B=TWO, mark=f"A={ONE},B={TWO}"),
        ],
    ),
    "turned off in the config, and set by hand: it stays, until it has our value again": (
        {},
        [
            *(publish(A=ONE, B=ONE), seen(A=ONE, B=ONE, mark=f"A={ONE},B={ONE}"), by_hand("B", "mine")),
            *(publish(A=ONE), seen(A=ONE, B="mine", mark=f"A={ONE},B={ONE}")),
            *(by_hand("B", ONE), seen(A=ONE, mark=f"A={ONE}")),
        ],
    ),
    "OFF unsets what is ours and does nothing, empty and 0 mean on": (
        {"B": "mine"},
        [
            *(publish(A=ONE, B=ONE), seen(A=ONE, B="mine", mark=f"A={ONE}"), by_hand(OFF, "1"), seen(B="mine")),
            *(publish(A=TWO, B=TWO), seen(B="mine"), by_hand(OFF, "0"), seen(A=TWO, B="mine", mark=f"A={TWO}")),
            *(by_hand(OFF, "yes"), seen(B="mine"), by_hand(OFF, ""), seen(A=TWO, B="mine", mark=f"A={TWO}")),
        ],
    ),
    "OFF from the start, with values of yesterday": (
        {"A": ONE, MARK: f"A={ONE}", OFF: "1"},
        [publish(A=TWO), seen(), unset(OFF), seen(A=TWO, mark=f"A={TWO}")],
    ),
    "no file yet: silence, and then it follows": ({}, [seen(), publish(A=ONE), seen(A=ONE, mark=f"A={ONE}")]),
    "the file goes away: the values stay": (
        {},
        [publish(A=ONE), seen(A=ONE, mark=f"A={ONE}"), remove, seen(A=ONE, mark=f"A={ONE}")],
    ),
    "half a file changes nothing, the whole one does": (
        {},
        [
            *(publish(A=ONE), seen(A=ONE, mark=f"A={ONE}"), spoil(b"A=http://1"), seen(A=ONE, mark=f"A={ONE}")),
            *(spoil(b""), seen(A=ONE, mark=f"A={ONE}"), publish(A=TWO), seen(A=TWO, mark=f"A={TWO}")),
        ],
    ),
    "the marker is lost: what we had set is taken for set by hand": (
        {},
        [publish(A=ONE), seen(A=ONE, mark=f"A={ONE}"), unset(MARK), publish(A=TWO), seen(A=ONE, mark="")],
    ),
    "sourced twice is sourced once": (
        {},
        [publish(A=ONE), again, again, seen(A=ONE, mark=f"A={ONE}"), publish(A=TWO), seen(A=TWO, mark=f"A={TWO}")],
    ),
    "three variables, IPv6, and one that is an environment's own": (
        {"B": "mine"},
        [publish(A=SIX, B=ONE, C=f"{ONE}/v1"), seen(A=SIX, B="mine", C=f"{ONE}/v1", mark=f"A={SIX},C={ONE}/v1")],
    ),
    "a marker that nobody of us wrote": (
        {"A": "*", "B": "x,y", MARK: "A=?,$(touch pwned)=x,B=x,y,B=`id`,,=,9=9,A-=1,PATH=/bin,HOME"},
        [publish(A=ONE, B=ONE), seen(A="*", B="x,y", mark="A=?,B=x,y,B=`id`")],
    ),
}


@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_rule_of_the_marker(shell: Shell, name: str, tmp_path: Path) -> None:
    environment, steps = SCENARIOS[name]
    with ExitStack() as until:
        world = World(shell, tmp_path, environment, until)
        for step in steps:
            step(world)
        assert not re.search(rb"ollama-locate:|rror|not found", world.terminal.shown), "nothing is said"
    assert not (tmp_path / "pwned").exists()
