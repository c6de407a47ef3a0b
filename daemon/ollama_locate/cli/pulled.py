"""How `ensure` tells what happens: a bar on a terminal, plain lines elsewhere, objects for programs."""

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.bounds_models import PULL_SAY, PULL_SAY_AGAIN, PULL_SAY_SHARE, PULL_SHOW
from ollama_locate.core.duration import about
from ollama_locate.core.pulling import Meter, sizes, speed
from ollama_locate.core.snapshot import ServerState

from .show import note

if TYPE_CHECKING:
    from rich.progress import Progress


class Teller(Protocol):
    """Told of each step."""

    def pulling(self, model: str, server: ServerState, *, current: bool) -> None:
        """Before anything is pulled. `current`: this is the current endpoint."""

    def progress(self, meter: Meter) -> None:
        """After each piece of the stream."""

    def loading(self, model: str, server: ServerState) -> None:
        """Before it is loaded; what stood on the screen of the pull goes."""

    def remark(self, text: str) -> None:
        """Something that a person may want to know."""

    def done(self, model: str, server: ServerState, *, current: bool, pulled: bool, again: str) -> None:
        """It is loaded. `again`: for people, how to come there, empty where nothing need be said."""

    def failed(self, code: str, text: str) -> None:
        """It is not. The sentence itself is printed by others."""

    def end(self) -> None:
        """Leave the terminal as it was; may be called twice."""


class Lines:
    """Plain lines on stderr, the endpoint on stdout."""

    def __init__(self) -> None:
        self._said = (0.0, "", 0.0)

    def pulling(self, model: str, server: ServerState, *, current: bool) -> None:
        """Where to."""
        note(f"pulling {model} to {server.name}" + ("" if current else ", which is not the current endpoint"))

    def progress(self, meter: Meter) -> None:
        """At most one line a second: for a new step, for 5 % more, and now and then."""
        now = time.monotonic()
        said, step, before = self._said
        share = meter.completed / meter.total if meter.total else 0.0
        news = meter.status != step or share >= before + PULL_SAY_SHARE or now >= said + PULL_SAY_AGAIN
        if news and now >= said + PULL_SAY:
            self._said = (now, meter.status, share)
            note(f"  {described(meter, now)}")

    def loading(self, model: str, server: ServerState) -> None:
        """Where."""
        note(f"loading {model} on {server.name}")

    def remark(self, text: str) -> None:
        """One line."""
        note(text)

    def done(self, model: str, server: ServerState, *, current: bool, pulled: bool, again: str) -> None:  # noqa: ARG002 - for programs
        """The endpoint, and how others find it."""
        print(server.url)
        if again:
            note(again)

    def failed(self, code: str, text: str) -> None:
        """Nothing more than the sentence."""

    def end(self) -> None:
        """Nothing to leave."""


class Bar(Lines):
    """The same, with a bar in the place of the lines."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Progress | None = None
        self._shown = 0.0

    def progress(self, meter: Meter) -> None:
        """Renewed five times a second."""
        now = time.monotonic()
        if now < self._shown + PULL_SHOW and not meter.done:
            return
        self._shown = now
        if self._bar is None:
            self._bar = _bar()
            self._bar.add_task("", total=None, words="")
        total, words = meter.total or None, described(meter, now)
        self._bar.update(self._bar.task_ids[0], total=total, completed=meter.completed, words=words)
        self._bar.start()  # not before there is something to show; the second time it does nothing
        self._bar.refresh()

    def loading(self, model: str, server: ServerState) -> None:
        """The bar has had its time."""
        self.end()
        super().loading(model, server)

    def end(self) -> None:
        """Give the cursor back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class Objects:
    """One JSON object a line on stdout: docs/models.md."""

    def __init__(self) -> None:
        self._said = 0.0

    def pulling(self, model: str, server: ServerState, *, current: bool) -> None:
        """Where to."""
        _object("pulling", model=model, server=server.name, url=server.url, current=current)

    def progress(self, meter: Meter) -> None:
        """At most five a second."""
        now = time.monotonic()
        if now >= self._said + PULL_SHOW or meter.done:
            self._said = now
            rate, left = meter.rate(now), meter.left(now)
            _object(
                "progress",
                status=meter.status,
                completed=meter.completed,
                total=meter.total,
                rate=rate and round(rate),
                left_s=left and round(left, 1),
            )

    def loading(self, model: str, server: ServerState) -> None:
        """Where."""
        _object("loading", model=model, server=server.name, url=server.url)

    def remark(self, text: str) -> None:
        """A sentence."""
        _object("remark", text=text)

    def done(self, model: str, server: ServerState, *, current: bool, pulled: bool, again: str) -> None:  # noqa: ARG002 - for people
        """Where it is."""
        _object("done", model=model, server=server.name, url=server.url, current=current, pulled=pulled)

    def failed(self, code: str, text: str) -> None:
        """Why not."""
        _object("error", code=code, text=text)

    def end(self) -> None:
        """Nothing to leave."""


def teller(*, json: bool) -> Teller:
    """The one for this place."""
    if json:
        return Objects()
    drawn = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return Bar() if drawn else Lines()


def described(meter: Meter, now: float) -> str:
    """`1.2/4.1 GB, 34.5 MB/s, 2 min left`; before there are bytes, and after, what Ollama says that it does."""
    if not meter.total or meter.completed == meter.total:
        return meter.status
    rate, left = meter.rate(now), meter.left(now)
    words = [sizes(meter.completed, meter.total)]
    if rate is not None and left is not None:
        words += [speed(rate), f"{about(left)} left"]
    return ", ".join(words)


def _bar() -> "Progress":
    from rich.console import Console  # noqa: PLC0415 - 60 ms, for terminals only
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415 - as above

    # It is renewed when something comes: a thread of rich's own would go on while nothing does.
    return Progress(
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        console=Console(stderr=True, highlight=False),
        auto_refresh=False,
        transient=True,
    )


def _object(event: str, **more: Any) -> None:  # noqa: ANN401 - whatever JSON has
    line = msgspec.json.encode({"schema": SCHEMA, "event": event, **more}).decode()
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
