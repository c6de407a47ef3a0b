"""A real Neovim on a terminal of its own: keys are typed, the screen and everything else is asked over its socket."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from tests.lua import neovim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

ROWS, COLUMNS = 40, 120
PATIENCE = 10.0

# Installed before anything else: how long the editor's loop stood still, at the worst, since it was last asked.
WATCHDOG = """
local worst, last = 0, vim.uv.hrtime()
local timer = vim.uv.new_timer()
timer:start(1, 1, function()
  local now = vim.uv.hrtime()
  worst, last = math.max(worst, now - last), now
end)
function _G.stood_still()
  local was = worst
  worst = 0
  return was / 1e6
end
"""


class StoppedError(Exception):
    """It waits for a key, as at its hit-enter prompt, or it hangs."""


class Screen:
    """The editor with this init.lua; `wrap` puts the command into a network namespace."""

    def __init__(
        self,
        folder: Path,
        init: str,
        packages: Sequence[Path],
        env: Mapping[str, str],
        wrap: Callable[[tuple[str | Path, ...]], list[str]] = lambda command: list(map(str, command)),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.socket = folder / "socket"
        paths = "\n".join(f"vim.opt.runtimepath:prepend({json.dumps(str(path))})" for path in packages)
        before = folder / "before.lua"
        before.write_text(f"{WATCHDOG}\n{paths}\n")
        file = folder / "init.lua"
        file.write_text(init)
        nvim = neovim.program()
        assert nvim
        self._command = wrap((nvim, "--cmd", f"luafile {before}", "-u", file, "-i", "NONE", "--listen", self.socket))
        self._client = nvim
        self._env = {**env, "TERM": "xterm-256color", "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        self._output = bytearray()

    def __enter__(self) -> Self:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            self._command, env=self._env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.until(self.socket.exists, 10, "Neovim listens")
        self.until(lambda: self.lua("vim.v.vim_did_enter") == 1, 10, "Neovim has started")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, StoppedError):
            with contextlib.suppress(StoppedError, RuntimeError):
                print(f"--- the screen\n{self.text()}\n--- the messages\n{self.messages()}")
        self._process.kill()
        self._process.wait()
        self._reader.join()
        os.close(self._master)

    def _read(self) -> None:
        """Take what it draws, or it would stop."""
        with contextlib.suppress(OSError):
            while drawn := os.read(self._master, 65536):
                self._output += drawn

    def type(self, keys: str) -> None:
        """Press these keys, as a terminal sends them."""
        os.write(self._master, keys.encode())

    def lua(self, expression: str) -> Any:
        """Return what this Lua expression is, by way of JSON."""
        asked = f"luaeval('vim.json.encode({{_A[1]()}})', [luaeval('function() return {expression} end')])"
        if "'" in expression:
            raise ValueError("write it with double quotes or brackets")
        command = [str(self._client), "--server", str(self.socket), "--remote-expr", asked]
        try:
            done = subprocess.run(command, env=self._env, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise StoppedError(f"the editor does not answer; it drew last:\n{self.drawn()[-2000:]}") from None
        if done.returncode:
            raise RuntimeError(f"{expression}: {done.stderr}{done.stdout}")
        answer = json.loads(done.stdout)
        return answer[0] if answer else None

    def drawn(self) -> str:
        """Return all that it wrote to its terminal, without the control sequences."""
        return re.sub(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\(B)", " ", self._output.decode(errors="replace"))

    def text(self) -> str:
        """Return what is on the screen, line by line."""
        cell = "function(column) return vim.fn.screenstring(row, column) end"
        row = f"function(row) return table.concat(vim.tbl_map({cell}, vim.fn.range(1, vim.o.columns))) end"
        rows = f"vim.tbl_map({row}, vim.fn.range(1, vim.o.lines))"
        return "\n".join(line.rstrip() for line in self.lua(rows))

    def messages(self) -> str:
        """Return what was said so far."""
        return str(self.lua("vim.fn.execute([[messages]])"))

    def buffer(self) -> str:
        """Return the text of the buffer in which the cursor is."""
        return "\n".join(self.lua("vim.api.nvim_buf_get_lines(0, 0, -1, false)"))

    def until(self, condition: Callable[[], object], within: float, what: str) -> None:
        end = time.monotonic() + within
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"not within {within:g} s: {what}")
            time.sleep(0.05)
