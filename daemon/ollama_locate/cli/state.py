"""Where a command gets its snapshot: from the living daemon, else by looking for itself, once."""

import sys
import time
from pathlib import Path

from ollama_locate.core.bounds import LOOK_BUDGET
from ollama_locate.core.config import Config, parse_config
from ollama_locate.core.errors import StateFolderError
from ollama_locate.edge.files import read_config
from ollama_locate.edge.folders import reader_config, reader_folder
from ollama_locate.edge.lock import holder
from ollama_locate.edge.published import Seen, published


def config() -> Config:
    """The config, checked. Raises ConfigError."""
    path = reader_config()
    return parse_config(read_config(path), str(path))


def seen(*, quietly: bool = False, models: bool = False, abilities: bool = True) -> Seen:
    """What is known now. Without a living daemon it looks for itself, and says so on stderr, unless `quietly`.

    `models`: then it also asks what is loaded, and with `abilities` what models can do.
    """
    folder = reader_folder()
    try:
        if found := published(folder):
            return found
        problem = None
    except StateFolderError as error:
        problem = str(error)
    return _look(folder, problem, quietly=quietly, models=models, abilities=abilities)


def _look(folder: Path, problem: str | None, *, quietly: bool, models: bool, abilities: bool) -> Seen:
    import asyncio  # noqa: PLC0415 - 50 ms, only where there is no daemon

    from ollama_locate.located.once import followed_now, look_once  # noqa: PLC0415 - as above

    started = time.monotonic()
    followed = followed_now(config(), folder, _say)
    snapshot = asyncio.run(look_once(followed, LOOK_BUDGET, models=models, abilities=abilities))
    took = time.monotonic() - started
    pid = holder(folder)
    if problem:
        why = problem
    elif pid:
        why = f"the daemon (pid {pid}) has not reported for a while"
    else:
        why = "no daemon runs; `ollama-locate service install` runs one for good, and every answer comes at once"
    if problem or not quietly:
        sys.stderr.write(f"ollama-locate: {why}. Looked for myself in {took:.1f} s.\n")
    return Seen(snapshot, pid)


def _say(trouble: str) -> None:
    sys.stderr.write(f"ollama-locate: {trouble}\n")
