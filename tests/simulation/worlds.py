"""The worlds: small, named, each with one trouble, and at the end some with all of them."""

from dataclasses import replace
from typing import Any

from .timeline import Fault, State, busy_hours, drift, every_night, from_day, in_turns, times_a_day
from .world import Host, Site, World

_BOX, _NAS, _PI = Host("box", 12), Host("nas", 40), Host("pi", 70)
_EQUAL = (Host("one", 20), Host("two", 21), Host("three", 22))
_MINUTES_TO_HOURS = (60.0, 7200.0)
_HOLD = "an oracle uses a server for the minutes in which a hold-down keeps us from it"


def _lossy(hosts: tuple[Host, ...], loss: float, jitter: float) -> tuple[Host, ...]:
    return tuple(replace(host, loss=loss, jitter=jitter) for host in hosts)


def _faulty(host: Host, *faults: Fault) -> Host:
    return replace(host, faults=faults)


STATIONARY = (
    World("two peers", 300, (_BOX, _NAS)),
    World("two equal peers", 200, _EQUAL[:2]),
    World("three equal peers, 2 % loss, heavy tail", 200, _lossy(_EQUAL, 0.02, 2.0)),
    World("two equal peers, 0.1 % loss, jitter as long as the path", 150, _lossy(_EQUAL[:2], 0.001, 20.0)),
    World("a slow drift through the dead band", 150, (Host("far", 30), Host("car", 30, (drift(0.010, 0.060, 4.0),)))),
    World("a slower one is preferred", 50, (Host("box", 12, tier=1), Host("gpu", 45, tier=0))),
    World("no bell: tailscale is asked every 30 s", 50, (_BOX, _NAS), rings=False),
    World("silent holes of our own path", 150, (_BOX, _NAS), path=(times_a_day(8, (3, 7), State.SILENT),)),
    World("tailscaled restarts", 100, (_BOX, _NAS), restarts=(times_a_day(6, (1, 20), State.SILENT),)),
    World(
        "tailscaled restarts, no bell", 50, (_BOX, _NAS), restarts=(times_a_day(6, (1, 20), State.SILENT),), rings=False
    ),
    World(
        "this laptop sleeps",
        150,
        (_BOX, _NAS),
        sleeps=(every_night(22, 7), times_a_day(6, (20, 5400), State.SILENT)),
    ),
    World("the wall clock steps", 50, (_BOX, _NAS), steps=20),
    World("busy for an hour", 150, (_faulty(_BOX, busy_hours(2, (2, 6))), _NAS)),
    World("thirty peers, six alive", 15, (_BOX, _NAS, _PI, *_EQUAL), strangers=24),
    World("three hundred peers, four alive", 2, (_BOX, _NAS, *_EQUAL[:2]), strangers=296),
)

FAULTS = (
    World("killed, now and then", 200, (_faulty(_BOX, times_a_day(4, _MINUTES_TO_HOURS, State.KILLED)), _NAS)),
    World("unplugged, now and then", 200, (_faulty(_BOX, times_a_day(4, _MINUTES_TO_HOURS, State.SILENT)), _NAS)),
    World("dead behind tailscale serve", 100, (_faulty(_BOX, times_a_day(4, _MINUTES_TO_HOURS, State.CLOSED)), _NAS)),
    World("hangs, now and then", 100, (_faulty(_BOX, times_a_day(2, (600, 7200), State.HUNG)), _NAS)),
    World("gone for good", 30, (_faulty(_BOX, from_day(1)), _NAS)),
    World(
        "a Mac in Power Nap",
        100,
        (Host("mac", 5, (in_turns(30, 900, State.SILENT),)), _NAS),
        share=0.95,
        why_less=_HOLD,
    ),
    World(
        "flaps: 10 min up, 5 min down",
        80,
        (_faulty(_BOX, in_turns(600, 300, State.KILLED)), _NAS),
        share=0.30,
        why_less=_HOLD,
    ),
    World(
        "flaps: 2 h up, 5 min down",
        80,
        (_faulty(_BOX, in_turns(7200, 300, State.SILENT)), _NAS),
        share=0.98,
        why_less=_HOLD,
    ),
    World(
        "two of three lost at one site",
        100,
        (_BOX, _EQUAL[0], _PI),
        sites=(Site(("box", "one"), (times_a_day(3, _MINUTES_TO_HOURS, State.SILENT),)),),
    ),
    World("the path to the best roams", 100, (_faulty(_BOX, times_a_day(6, (3, 7), State.SILENT)), _NAS)),
    World(
        "laptops that sleep at night",
        80,
        (_faulty(_BOX, every_night(23, 7)), _faulty(_EQUAL[0], every_night(20, 9)), _PI),
    ),
    World(
        "an Ollama here as the last resort, holes of our own path",
        50,
        (_BOX,),
        path=(times_a_day(4, (3, 7), State.SILENT),),
        local=True,
    ),
)

ALL_AT_ONCE = (
    World(
        "everything at once",
        100,
        (
            Host(
                "gpu",
                8,
                (times_a_day(2, _MINUTES_TO_HOURS, State.KILLED), busy_hours(0.5, (2, 6))),
                jitter=1.0,
                loss=0.001,
            ),
            Host("box", 25, (times_a_day(2, _MINUTES_TO_HOURS, State.SILENT),), jitter=1.0, loss=0.001),
            Host("nas", 60, (times_a_day(0.5, _MINUTES_TO_HOURS, State.CLOSED),), jitter=2.0, loss=0.002),
        ),
        path=(times_a_day(3, (3, 7), State.SILENT),),
        sleeps=(every_night(23, 7), times_a_day(4, (20, 1800), State.SILENT)),
        restarts=(times_a_day(1, (1, 20), State.SILENT),),
        steps=2,
        share=0.98,
        why_less=_HOLD,
    ),
)

WORLDS = tuple(replace(world, stationary=True) for world in STATIONARY) + tuple(
    replace(world, stationary=False) for world in (*FAULTS, *ALL_AT_ONCE)
)
BY_NAME = {world.name: world for world in WORLDS}


def _loop(name: str, days: float, fresh: str = "", **more: Any) -> World:
    """The same world for the real loop, in which programs ask for something now and then."""
    world = BY_NAME[name]
    return replace(world, name=f"loop: {fresh or name}", days=days, requests=4, **more)


LOOP_WORLDS = (
    _loop("two peers", 3),
    _loop("two peers", 3, "this program stands still", stalls=24),
    _loop("two peers", 2, "the config is edited", rewrites=24),
    _loop("no bell: tailscale is asked every 30 s", 2),
    _loop("the wall clock steps", 4, steps=48),
    _loop("this laptop sleeps", 6),
    _loop("tailscaled restarts", 4, restarts=(times_a_day(24, (1, 20), State.SILENT),)),
    _loop("tailscaled restarts, no bell", 3),
    _loop("silent holes of our own path", 2),
    _loop("killed, now and then", 4, "killed, and the history is kept", history=True, steps=4),
    _loop("unplugged, now and then", 4),
    _loop("dead behind tailscale serve", 2),
    _loop("hangs, now and then", 2),
    _loop("a Mac in Power Nap", 2),
    _loop("two of three lost at one site", 3),
    _loop("an Ollama here as the last resort, holes of our own path", 2),
    _loop("everything at once", 6, steps=12, stalls=4, history=True),
)
"""54 days. What a step or a stall can break is broken within a day: they come by the dozen here."""
