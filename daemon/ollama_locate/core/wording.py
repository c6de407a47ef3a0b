"""What is said of one server: why it stands where it stands, in words for a person."""

from typing import Final

from .outcome import Outcome
from .selection import Required, Standing, lacks
from .server import Kind
from .track import Track

_STATIC: Final = {
    Outcome.REFUSED: "refuses: no Ollama there, or it listens at another address or port",
    Outcome.SILENT: "is silent: off, asleep, or kept away by a firewall",
    Outcome.EMPTY: "accepts and closes: the Ollama behind it is dead",
    Outcome.FORBIDDEN_HOST: "answers 403: its Ollama does not know the name by which it is asked",
}
"""Of one that the config or a pin names, or that is on the LAN: Tailscale may have nothing to do with it."""

_FEW: Final = 3
_ENDED: Final = "refuses now: its Ollama has ended, or listens elsewhere"


def reason(track: Track, standing: Standing, required: Required = ()) -> str:
    """Why it stands there. A time has no place in it: the snapshot's `alive_at` and `held_until` say when."""
    probe, kind = track.probe, track.server.kind
    if kind is Kind.SELF_CHECK and probe is not None:
        serves = "serves the tailnet" if probe.outcome is Outcome.ALIVE else "does not serve the tailnet"
        return f"this machine's Ollama {serves}"
    if kind is Kind.LOCAL and standing is Standing.LOWER_TIER:
        return "this machine's own Ollama comes after the others (see `local` in the config)"
    if standing is Standing.LACKS_MODEL:
        return _lacks(track, required)
    if probe is None or standing not in (Standing.DOWN, Standing.FAILING):
        return standing.text
    if probe.outcome is Outcome.ALIVE:
        return "answers again; the next check decides"
    if kind is Kind.LOCAL and probe.outcome is Outcome.REFUSED:
        return "no Ollama runs here"
    what = _does(track, probe.outcome)
    return what if standing is Standing.DOWN else f"{what}; the next checks decide"


def _lacks(track: Track, required: Required) -> str:
    if track.models is None:
        return "its list of models is not known yet, and `[models] require` names some"
    missing = [" or ".join(names) for names in lacks(track.models, required)]
    few = missing[:_FEW] + [f"{len(missing) - _FEW} more"] * (len(missing) > _FEW)
    return f"it does not list {' and '.join(few)}, which `[models] require` names"


def _does(track: Track, outcome: Outcome) -> str:
    if outcome is Outcome.REFUSED and track.alive_at is not None:
        return _ENDED
    return _STATIC.get(outcome, outcome.text) if track.server.kind in (Kind.STATIC, Kind.MDNS) else outcome.text
