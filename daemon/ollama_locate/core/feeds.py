"""The formats of feeds: what writes each, and how a file of it begins."""

from collections.abc import Callable
from typing import Final

from . import feed_haproxy, feed_litellm, feed_prometheus
from .feed import Fed, Format
from .snapshot import Snapshot

_WRITERS: Final[dict[Format, Callable[[Snapshot], Fed]]] = {
    Format.HAPROXY: feed_haproxy.haproxy,
    Format.LITELLM: feed_litellm.litellm,
    Format.PROMETHEUS: feed_prometheus.prometheus,
}
FIRST: Final = {
    Format.HAPROXY: feed_haproxy.FIRST,
    Format.LITELLM: feed_litellm.FIRST,
    Format.PROMETHEUS: feed_prometheus.FIRST,
}
"""What a file that this program wrote begins with."""


def make(kind: Format, snapshot: Snapshot) -> Fed:
    """The configuration of this format."""
    return _WRITERS[kind](snapshot)


def is_held(fed: Fed, snapshot: Snapshot) -> bool:
    """Whether this is no reason to replace a file: it names nobody, and nobody knows yet who there is.

    Before Tailscale has answered that it runs, none of its peers is known; the servers of before are a better guess.
    """
    return not fed.servers and any(one.state != "running" for one in snapshot.every_tailnet)
