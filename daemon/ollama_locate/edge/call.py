"""Other programs of this machine, called with words, never by a shell, and waited for within bounds."""

import os
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ollama_locate.core.bounds import CALL_MAX_BYTES

from .command import Order, TooMuchError, run


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
    environment = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0", **(more or {})}
    try:
        done = run(Order(words, environment, patience, CALL_MAX_BYTES), threading.Event())
    except TimeoutError:
        return Called(None, "", f"`{words[0]}` did not end within {patience:g} s")
    except TooMuchError:
        return Called(None, "", f"`{words[0]}` said too much")
    except OSError as error:
        return Called(None, "", f"`{words[0]}` cannot be started: {error.strerror}")
    out, said = (text.decode(errors="replace").strip() for text in (done.out, done.err))
    return Called(done.code, out, said or out or f"it said nothing (exit code {done.code})")
