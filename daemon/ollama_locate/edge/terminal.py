"""A screen of its own on this process's terminal, given back on every exit. Nothing here waits for the terminal."""

import contextlib
import os
import select
import signal
import sys
import termios
import time
from types import FrameType, TracebackType
from typing import Any, Final, NamedTuple, Self

from ollama_locate.core.bounds import WATCH_LEAVE

_ENTER: Final = b"\x1b[?1049h\x1b[?25l"
_LEAVE: Final = b"\x1b[0m\x1b[?25h\x1b[?1049l"
"""The alternate screen and the cursor (xterm: ctlseqs, DECSET 1049 and 25)."""

_ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNALS: Final = (*_ENDS, signal.SIGTSTP, signal.SIGWINCH)
_DEFAULT: Final = (80, 24)
_CHUNK: Final = 4096


class Heard(NamedTuple):
    """Keys that were typed; the signal that ends it, if one came (SIGHUP where the terminal is gone); a resize."""

    keys: bytes = b""
    end: int | None = None
    resized: bool = False


class Terminal:
    """Use it in a `with`. Signals are noted while it stands, and never interrupt the giving back."""

    def __init__(self) -> None:
        self._keys = 0 if os.isatty(0) else None
        self._out = _own_description(1)
        self._encoding = sys.stdout.encoding
        self._noted: list[int] = []
        self._handlers: dict[int, Any] = {}
        self._saved: list[Any] | None = None
        self._shown: list[str] | None = None
        self._wanted: list[str] | None = None
        self._waiting = b""
        self._gone = False

    def __enter__(self) -> Self:
        self._bell, self._ringer = os.pipe()  # as macOS has no pipe2
        os.set_blocking(self._bell, False)
        os.set_blocking(self._ringer, False)
        self._wakeup = signal.set_wakeup_fd(self._ringer, warn_on_full_buffer=False)
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, say
                self._handlers[number] = signal.signal(number, self._note)
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for fd in (self._bell, self._ringer, self._out):
            os.close(fd)

    def size(self) -> tuple[int, int]:
        """Columns and lines; a terminal that does not say has 80 and 24."""
        with contextlib.suppress(OSError):
            columns, lines = os.get_terminal_size(self._out)
            if columns and lines:
                return columns, lines
        return _DEFAULT

    def draw(self, lines: list[str]) -> None:
        """Show these lines (no control characters but colours, none wider than the screen), the rest empty.

        Only lines that changed are sent. While the terminal takes nothing, the newest picture waits.
        """
        self._wanted = lines
        self._send()

    def wait(self, seconds: float) -> Heard:
        """What was typed or told within this time; returns at the first of it."""
        # select, as poll of macOS does not know terminals.
        listened = [self._bell] if self._keys is None else [self._bell, self._keys]
        heard, writable, _ = select.select(listened, [self._out] if self._waiting else [], [], max(0.0, seconds))
        if self._bell in heard:
            with contextlib.suppress(BlockingIOError):
                os.read(self._bell, _CHUNK)
        if writable:
            self._send()
        keys = self._read() if self._keys in heard else b""
        noted, self._noted = self._noted, []
        if signal.SIGTSTP in noted:
            self._pause()
        resized = signal.SIGWINCH in noted or signal.SIGTSTP in noted
        if resized:
            self._shown = None
        end = next((number for number in noted if number in _ENDS), signal.SIGHUP if self._gone else None)
        return Heard(keys, end, resized)

    # --- taking and giving back

    def _take(self) -> None:
        if self._keys is not None:
            self._saved = termios.tcgetattr(self._keys)
            quiet = termios.tcgetattr(self._keys)
            quiet[3] &= ~(termios.ICANON | termios.ECHO)  # each key at once, and none shown
            termios.tcsetattr(self._keys, termios.TCSANOW, quiet)
        self._shown = None
        self._push(_ENTER)

    def _give_back(self) -> None:
        self._waiting, self._wanted = b"", None
        self._push(_LEAVE)
        if self._keys is not None and self._saved is not None:
            with contextlib.suppress(termios.error):  # it is gone
                # At once: to wait until all is shown would be to wait for a terminal that was stopped by ctrl-S.
                termios.tcsetattr(self._keys, termios.TCSANOW, self._saved)

    def _pause(self) -> None:
        """Ctrl-Z: the shell gets its screen, and this one is drawn anew when it goes on."""
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()

    def _push(self, data: bytes) -> None:
        ends = time.monotonic() + WATCH_LEAVE
        with contextlib.suppress(OSError):
            while data and (left := ends - time.monotonic()) > 0:
                if select.select([], [self._out], [], left)[1]:
                    with contextlib.suppress(BlockingIOError):
                        data = data[os.write(self._out, data) :]

    def _note(self, number: int, _: FrameType | None) -> None:
        self._noted.append(number)

    # --- reading and writing

    def _read(self) -> bytes:
        try:
            keys = os.read(0, _CHUNK)
        except OSError:
            keys = b""
        self._gone = self._gone or not keys
        return keys

    def _send(self) -> None:
        while True:
            if not self._waiting:
                if self._wanted is None:
                    return
                self._waiting = self._difference(self._wanted)
                self._shown, self._wanted = self._wanted, None
            try:
                self._waiting = self._waiting[os.write(self._out, self._waiting) :]
            except BlockingIOError:
                return
            except OSError:
                self._gone, self._waiting = True, b""
                return

    def _difference(self, lines: list[str]) -> bytes:
        """Each line that changed, at its place. Erased first: after a full line the cursor still stands on it."""
        before = self._shown
        rows = ["\x1b[0m\x1b[2J"] if before is None else []
        for row in range(max(len(lines), len(before or ()))):
            line = lines[row] if row < len(lines) else ""
            if before is None or row >= len(before) or before[row] != line:
                rows.append(f"\x1b[{row + 1};1H\x1b[2K{line}")
        return "".join(rows).encode(self._encoding, "replace")


def _own_description(fd: int) -> int:
    """The same terminal opened once more: that it does not block is then nobody else's matter."""
    with contextlib.suppress(OSError):
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.dup(fd)
