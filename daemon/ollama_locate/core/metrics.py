"""The snapshot in the text format of Prometheus (docs/instrumenting/exposition_formats), for a textfile collector.

Names follow prometheus.io/docs/practices/naming: base units, `_total` for counters, `_info` for labels.
"""

import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from .bounds import METRICS_SERVERS_MAX
from .server import Kind
from .snapshot import ServerState, Snapshot, epoch
from .text import shown
from .track import Verdict

FIRST: Final = "# HELP ollama_locate_build_info"
"""What a file that this program wrote begins with."""

_ESCAPED: Final = re.compile(r'[\\"\n]')

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


class Counters(NamedTuple):
    """What is counted since the daemon's start, beside what the snapshot counts."""

    switches: int = 0


def text(snapshot: Snapshot, counters: Counters, now: float) -> bytes:
    """The file; `now` is the heartbeat in epoch seconds. Text from the network is cleaned and escaped.

    Of more than METRICS_SERVERS_MAX servers those that stand first are shown, and the others counted.
    """
    decision, tailnets = snapshot.decision, snapshot.every_tailnet
    endpoint = {"endpoint": decision.endpoint, "server": decision.name, "reason": decision.reason}
    asked = [one for one in snapshot.servers if one.kind != Kind.SELF_CHECK.value]
    rejected = Counter(one.reason for one in snapshot.rejected)
    blocks = [
        _block("build_info", "gauge", "The version of ollama-located.", [({"version": snapshot.program}, 1)]),
        _block("endpoint_info", "gauge", "The endpoint that is published, and why.", [(endpoint, 1)]),
        _block(
            "decision_state",
            "gauge",
            "Whether the endpoint answers (fresh), is the last good one (stale), or none was found (none).",
            [({"state": one.value}, decision.verdict == one.value) for one in Verdict],
        ),
        _time("decision_since_timestamp_seconds", "When this endpoint was chosen.", decision.since),
        _block(
            "tailnet_up",
            "gauge",
            "Whether Tailscale runs here.",
            [({"tailnet": one.name} if one.name else {}, one.state == "running") for one in tailnets],
        ),
        _block("servers", "gauge", "Servers that may be asked, shown here or not.", [({}, len(asked))]),
        *_servers(asked[:METRICS_SERVERS_MAX]),
        _block(
            "rejected_peers",
            "gauge",
            "Peers that are never asked, by reason.",
            [({"reason": reason}, number) for reason, number in sorted(rejected.items())],
        ),
        _block(
            "problems", "gauge", "What the daemon cannot do now: `ollama-locate status`.", [({}, _problems(snapshot))]
        ),
        _block("rounds_total", "counter", "Rounds of probes since the daemon's start.", [({}, snapshot.round)]),
        _block("switches_total", "counter", "Changes of the endpoint since then.", [({}, counters.switches)]),
        _time("last_published_timestamp_seconds", "When the files were last written.", snapshot.written_at),
        _block("heartbeat_timestamp_seconds", "gauge", "When this file was written; every 30 s.", [({}, now)]),
    ]
    return "".join(blocks).encode("utf-8", "replace")


def _problems(snapshot: Snapshot) -> int:
    return len(snapshot.problems)


def _servers(servers: Iterable[ServerState]) -> list[str]:
    known = [({"server": one.name, "key": one.key}, one) for one in servers if one.outcome is not None]
    return [
        _block(
            "server_up",
            "gauge",
            "Whether it answers as Ollama; of servers that were asked.",
            [(labels, one.health == "up") for labels, one in known],
        ),
        _block(
            "server_round_trip_seconds",
            "gauge",
            "The least round trip of the last check.",
            [(labels, one.rtt_ms / 1000) for labels, one in known if one.rtt_ms is not None],
        ),
        _block(
            "server_models",
            "gauge",
            "Models that it lists.",
            [(labels, len(one.models)) for labels, one in known if one.models is not None],
        ),
        _block(
            "server_alive_timestamp_seconds",
            "gauge",
            "When it last showed that it lives.",
            [(labels, at) for labels, one in known if (at := _epoch(one.alive_at)) is not None],
        ),
    ]


def _time(name: str, said: str, at: str) -> str:
    found = _epoch(at)
    return _block(name, "gauge", said, [({}, found)] if found is not None else [])


def _epoch(at: str | None) -> float | None:
    with contextlib.suppress(ValueError):
        return epoch(at) if at is not None else None
    return None


def _block(name: str, kind: str, said: str, samples: Iterable[Sample]) -> str:
    """A metric with its samples, empty where it has none."""
    name = f"ollama_locate_{name}"
    lines = [f"{name}{_labels(labels)} {_number(value)}\n" for labels, value in samples]
    return f"# HELP {name} {said}\n# TYPE {name} {kind}\n{''.join(lines)}" if lines else ""


def _labels(labels: Labels) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return _ESCAPED.sub(lambda found: {"\\": r"\\", '"': r"\"", "\n": r"\n"}[found[0]], shown(value))


def _number(value: float) -> str:
    """Of time and round trips the digits that they have: 1.7e9 with milliseconds are 13."""
    return f"{value:.13g}"
