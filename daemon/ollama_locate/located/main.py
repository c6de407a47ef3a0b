"""The entry of `ollama-located`: reads the arguments and the config, takes the lock, runs the daemon."""

import argparse
import asyncio
import contextlib
import faulthandler
import os
import signal
import sys

from ollama_locate.core import render
from ollama_locate.core.bounds import LOOK_BUDGET, STATE_MAX_BYTES
from ollama_locate.core.config import LOG_LEVELS, Config, parse_config
from ollama_locate.core.constants import STATUS_DEADLINE, VERSION
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.track import Verdict
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.files import StateFolder, read, read_config
from ollama_locate.edge.folders import config_file, state_folder
from ollama_locate.edge.lock import Lock
from ollama_locate.edge.templates import hooks, templates

from .log import LOGGER, set_up

EXITS = {Verdict.FRESH.value: 0, Verdict.STALE.value: 0, Verdict.NONE.value: 4}


def main(argv: list[str] | None = None, wire: Wire | None = None) -> int:
    """Run the daemon; returns the exit code. `wire` replaces where connects leave (the demo's tailnet)."""
    args = _arguments(argv)
    # The service manager's watchdog ends a program that hangs with SIGABRT: where it hung is then in the log.
    faulthandler.enable()
    for number in (signal.SIGUSR1, signal.SIGHUP):
        # Whoever holds the lock may be signalled, and has no handler yet, or not any more.
        signal.signal(number, signal.SIG_IGN)
    try:
        path = config_file()
        config = parse_config(read_config(path), str(path))
        set_up(args.log_level or config.log_level, args.log_format)
        for warning in config.warnings:
            LOGGER.warning("%s: %s", path, warning)
        folder = StateFolder(state_folder())
        lock = Lock(folder)
        folder.clean()
    except OperatorError as error:
        sys.stderr.write(f"ollama-located: {error}\n")
        return 1
    try:
        if args.once:
            return asyncio.run(_once(folder, config, wire))
        return asyncio.run(_serve(folder, lock, config, wire))
    finally:
        lock.release()
        folder.close()


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ollama-located",
        description="Finds the best live Ollama on your tailnet and keeps the env file true; stays in the foreground.",
        epilog="Files: docs/files.md. Config: docs/config.md, printed by `ollama-locate config`.",
    )
    parser.add_argument("--once", action="store_true", help="make one full round, write the files, end")
    parser.add_argument("--log-format", choices=("text", "json"), default="text", help="how log lines look")
    parser.add_argument("--log-level", choices=LOG_LEVELS, help="overrides log_level of the config")
    parser.add_argument("--version", action="version", version=f"ollama-located {VERSION}")
    return parser.parse_args(argv)


async def _serve(folder: StateFolder, lock: Lock, config: Config, wire: Wire | None) -> int:
    from .daemon import Daemon  # noqa: PLC0415 - the scheduler costs 99 ms, which --once need not pay

    LOGGER.info("serves %s (pid %d)", folder.path, os.getpid())
    return await Daemon(folder, lock, config, config_file(), wire=wire, before=previous(folder)).run()


async def _once(folder: StateFolder, config: Config, wire: Wire | None) -> int:
    from .once import followed_now, look_once  # noqa: PLC0415 - as above

    budget = STATUS_DEADLINE + LOOK_BUDGET + config.timeout
    followed = followed_now(config, folder.path, LOGGER.error)
    snapshot = await look_once(followed, budget, before=previous(folder), wire=wire, models=True)
    try:
        folder.publish(render.files(snapshot, templates()) | hooks(folder.path), render.SOURCED)
    except OperatorError as error:
        LOGGER.error("%s", error)
        return 1
    folder.touch("verdict")
    sys.stdout.write(snapshot.decision.endpoint + "\n")
    LOGGER.info("%s: %s", snapshot.decision.name, snapshot.decision.text)
    return EXITS[snapshot.decision.verdict]


def previous(folder: StateFolder) -> Snapshot | None:
    """What an earlier run published, if it can still be read."""
    with contextlib.suppress(OperatorError, ValueError):
        data = read(folder.path, "state.json", STATE_MAX_BYTES)
        return render.read_snapshot(data) if data else None
    return None
