"""Other programs of this machine, called with words, never by a shell, and waited for within bounds."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Called(NamedTuple):
    """How it ended. `code` is None where it could not be started, or did not end in time; `said` is for people."""

    code: int | None
    out: str
    said: str

    @property
    def fine(self) -> bool:
        """Whether it did what it was asked."""
        return self.code == 0


def call(words: Sequence[str], patience: float, more: Mapping[str, str] | None = None) -> Called:
    """Run it; `patience` in seconds, `more` is added to the environment. Never raises for what the program does."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the words are the caller's, who checks what came from outside
            words,
            check=False,
            capture_output=True,
            timeout=patience,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0", **(more or {})},
        )
    except subprocess.TimeoutExpired:
        return Called(None, "", f"`{words[0]}` did not end within {patience:g} s")
    except OSError as error:
        return Called(None, "", f"`{words[0]}` cannot be started: {error.strerror}")
    out, said = (text.decode(errors="replace").strip() for text in (done.stdout, done.stderr))
    return Called(done.returncode, out, said or out or f"it said nothing (exit code {done.returncode})")
