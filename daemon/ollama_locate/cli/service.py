"""`ollama-locate service`: the daemon as a service of systemd or launchd."""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from ollama_locate.core.errors import OperatorError
from ollama_locate.core.snapshot import epoch
from ollama_locate.edge import desktop
from ollama_locate.edge.folders import SYSTEM_CONFIG, config_file, state_folder
from ollama_locate.edge.launchd import Launchd
from ollama_locate.edge.leave import remove_state
from ollama_locate.edge.lock import holder
from ollama_locate.edge.services import Manager, Service
from ollama_locate.edge.systemd import Systemd

from .asking import wait_for
from .help import Help
from .show import line, table

_FIRST_ROUND: Final = 15.0
_KEPT: Final = {"setup.json": "ollama-locate setup --undo", "expose.json": "ollama-locate unexpose"}
_HELP: Final = """\
examples:
  ollama-locate service install            now, and whenever you log in
  ollama-locate service install --linger   and while you are logged out
  sudo ollama-locate service install --system
                                           from the boot on, one for all users
  ollama-locate service logs -f            what it says
  ollama-locate service uninstall          nothing is left but the config"""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "service",
        help="run the daemon for good",
        description="Makes the daemon a service of systemd or launchd, and says how it is.",
        epilog=_HELP,
        formatter_class=Help,
    )
    verbs = words.add_subparsers(metavar="VERB", required=True)
    for verb, run, text in (
        ("install", install, "write the unit, enable and start it; after an upgrade: again"),
        ("uninstall", uninstall, "end it, and remove all that was written but the config"),
        ("status", status, "whether it runs, and since when"),
        ("restart", restart, "end it and start it again"),
        ("logs", logs, "what it said"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("--system", action="store_true", help="the system's service, not yours")
        one.set_defaults(run=run)
        if verb == "install":
            one.add_argument("--linger", action="store_true", help="let your services run while you are logged out")
        if verb == "uninstall":
            one.add_argument("--purge", action="store_true", help="remove the config as well")
        if verb == "status":
            one.add_argument("--json", action="store_true", help="for programs (docs/service.md)")
        if verb == "logs":
            one.add_argument("-f", "--follow", action="store_true", help="and what it says from now on")
            one.add_argument("-n", "--lines", type=int, default=50, metavar="N", help="how many lines (50)")


def install(args: argparse.Namespace) -> int:
    """Install or upgrade it, start it, and wait for the first round."""
    manager, program = find(system=args.system), located()
    folder = manager.state_folder() or state_folder()
    other = holder(folder)
    if other is not None and other != manager.state().pid:
        raise OperatorError(
            f"a daemon that was started by hand (pid {other}) serves {folder}; end it first: kill {other}"
        )
    word = manager.install(program)
    line(f"{manager.file}: {word}")
    began = time.time()
    _start(manager)
    now = wait_for(
        folder, _FIRST_ROUND, lambda shown: epoch(shown.written_at) >= began and not shown.decision.provisional
    )
    if now is None:
        raise OperatorError("it was started, and has published nothing; `ollama-locate service logs` says why")
    line(f"started; its first round took {max(0.0, epoch(now.written_at) - began):.1f} s")
    line(f"endpoint: {now.decision.endpoint} ({now.decision.name}): {now.decision.text}")
    if isinstance(manager, Systemd) and not args.system:
        _say_when_it_ends(manager, linger=args.linger)
    if args.system:
        line("Who is in the group ollama-locate may read it: sudo usermod -aG ollama-locate NAME, then log in again.")
        line(f"Its config: {SYSTEM_CONFIG}")
    return 0


def uninstall(args: argparse.Namespace) -> int:
    """End it and take all away."""
    manager = find(system=args.system)
    folder = manager.state_folder() or state_folder()
    removed, left = remove(manager, folder)
    config = SYSTEM_CONFIG if args.system else config_file()
    if args.purge and config.exists():
        config.unlink()
        removed.append(str(config))
    for one in removed:
        line(f"removed: {one}")
    if not removed:
        line("there was nothing to remove")
    elif config.exists():
        line(f"stays: {config}   (`--purge` removes it as well)")
    if left:
        line(f"stays: {folder}, as it holds {', '.join(left)}")
    for name in set(left) & set(_KEPT):
        line(f"  {name} is what `{_KEPT[name]}` goes by: type that as well")
    return 0


def remove(manager: Manager, folder: Path) -> tuple[list[str], list[str]]:
    """End the service and remove its files; returns what was removed, and the names of what stays in the folder."""
    if (pid := holder(folder)) is not None and pid != manager.state().pid:
        raise OperatorError(f"a daemon that was started by hand (pid {pid}) serves {folder}; end it first: kill {pid}")
    shown = desktop.noted(folder)
    removed = manager.stop_and_remove()
    if shown:
        desktop.change(shown, {})
    had_state = folder.exists()
    left = remove_state(folder)
    if had_state and not left:
        removed.append(str(folder))
    if isinstance(manager, Systemd) and removed and not left:
        manager.remove_user()
    return removed, left


def status(args: argparse.Namespace) -> int:
    """Print what the manager knows; 1 where it does not run."""
    manager = find(system=args.system)
    found = manager.state()
    runs = found.active in ("active", "reloading")
    if args.json:
        print(msgspec.json.encode({"schema": 1, "manager": manager.name, "running": runs, **found._asdict()}).decode())
        return 0 if runs else 1
    if not found.file:
        line(f"not installed in {manager.name}; type: {_install_words(args)}")
        return 1
    table(("", ""), _rows(manager, found))
    if not runs:
        for one in manager.last_words():
            line(f"  {one}")
    return 0 if runs else 1


def restart(args: argparse.Namespace) -> int:
    """End it and start it again."""
    manager = find(system=args.system)
    found = manager.state().file
    if not found:
        raise OperatorError(f"it is not installed; type: {_install_words(args)}")
    if found != str(manager.file):
        raise OperatorError(f"{found} was not written by `service install`: it is left alone")
    _start(manager)
    line("started again")
    return 0


def _start(manager: Manager) -> None:
    try:
        manager.start()
    except OperatorError as error:
        said = "".join(f"\n  {one}" for one in manager.last_words())
        raise OperatorError(f"{error}{said and f'{chr(10)}Its last words:{said}'}") from None


def _install_words(args: argparse.Namespace) -> str:
    return "sudo ollama-locate service install --system" if args.system else "ollama-locate service install"


def logs(args: argparse.Namespace) -> int:
    """Become the program that shows the log."""
    words = find(system=args.system).logs(args.lines, follow=args.follow)
    sys.stdout.flush()
    try:
        os.execvp(words[0], words)  # noqa: S606 - a program with words, no shell
    except OSError as error:
        raise OperatorError(f"cannot start {words[0]}: {error.strerror}") from None


def find(*, system: bool) -> Manager:
    """What manages services here. Raises OperatorError, with another way, where nothing does."""
    if Systemd.here():
        return Systemd(system=system)
    if Launchd.here():
        if system:
            raise OperatorError("there is no system's service on macOS, only your own: leave out --system")
        return Launchd()
    raise OperatorError(
        "neither systemd nor launchd manages this machine. Start the daemon with what starts your programs, as\n"
        f"  setsid nohup {located()} >/dev/null 2>&1 &\n"
        "or by a line in `crontab -e`:\n"
        f"  @reboot {located()}"
    )


def located() -> str:
    """The daemon's path: the one on PATH if it is this installation's, as that outlives an upgrade."""
    beside = Path(sys.executable).with_name("ollama-located")
    on_path = shutil.which("ollama-located")
    if on_path and (not beside.exists() or os.path.realpath(on_path) == os.path.realpath(beside)):
        return os.path.abspath(on_path)  # noqa: PTH100 - not resolved: the link is what stays
    if beside.exists():
        return str(beside)
    raise OperatorError("the program ollama-located is not there; install ollama-locate anew")


def _rows(manager: Manager, found: Service) -> list[tuple[str, str]]:
    ended = f" ({found.result})" if found.result not in ("", "success") else ""
    return [
        ("service", f"{found.active}{ended}{'' if found.enabled else ', not enabled'}"),
        *([("says", found.says)] if found.says else []),
        *([("pid", str(found.pid))] if found.pid else []),
        *([("restarts", str(found.restarts))] if found.restarts else []),
        ("manager", manager.name),
        ("unit", found.file),
    ]


def _say_when_it_ends(manager: Systemd, *, linger: bool) -> None:
    if linger and not manager.lingers():
        manager.linger(on=True)
    lingers = manager.lingers()
    if lingers:
        line("It runs from the start of this machine on, whether or not you are logged in.")
    elif lingers is False:
        line("It starts when you log in and ends with your last session; `service install --linger` lets it go on.")
