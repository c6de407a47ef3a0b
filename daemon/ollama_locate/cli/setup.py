"""`ollama-locate setup`: everything on this machine in one go, shown first; and `--undo`."""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from ollama_locate.core import setup, startup
from ollama_locate.core.config import parse_config
from ollama_locate.core.errors import OperatorError, StateFolderError
from ollama_locate.core.selection import Rank
from ollama_locate.core.setup import Appended, Installed, Record, Step, Written
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.startup import Home, Kind
from ollama_locate.edge import recorded
from ollama_locate.edge.folders import SYSTEM_STATE, config_file, home, nu_autoload, reader_folder, state_folder
from ollama_locate.edge.leave import remove_state
from ollama_locate.edge.services import Manager
from ollama_locate.edge.speeds import read_speeds
from ollama_locate.edge.startup import follows, login_shell, scanned
from ollama_locate.edge.systemd import Systemd

from . import hook, service
from .confirm import confirmed
from .help import Help
from .show import line, note, tailnets
from .state import config, seen

_PARTS: Final = ("variables", "service", "shell")
_OLLAMA_UNITS: Final = tuple(f"{folder}/systemd/system/ollama.service" for folder in ("/etc", "/usr/lib", "/lib"))
"""An Ollama that is stopped just now."""

_NEOVIM: Final = 'extensions = { ollama_locate = { opts = { model = "mistral" } } }'


class Plan(NamedTuple):
    """One part: what it is for, and what is done; no `act` where there is nothing to do, and `text` says why.

    `blocked`: it should be done, and cannot.
    """

    part: str
    text: str
    act: Callable[[], None] | None = None
    blocked: bool = False


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "setup",
        help="set everything up on this machine, or take it back",
        description="Looks at this machine, shows what it would do, and asks: the service that runs\n"
        "the daemon, the line in your shell's start-up file, the variables that other\nprograms read.",
        epilog="examples:\n  ollama-locate setup\n  ollama-locate setup --dry-run         show it only\n"
        "  ollama-locate setup --yes --skip variables\n  ollama-locate setup --undo            take back what it did",
        formatter_class=Help,
    )
    words.add_argument("--yes", action="store_true", help="do not ask")
    words.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    words.add_argument(
        "--skip",
        action="append",
        default=[],
        choices=_PARTS,
        metavar="PART",
        help="leave out variables, service or shell",
    )
    words.add_argument("--linger", action="store_true", help="let your services run while you are logged out")
    words.add_argument("--undo", action="store_true", help="take back exactly what setup did")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look, show, ask, do."""
    if args.undo:
        return _undo(args)
    snapshot = seen(quietly=True).snapshot
    _say_found(snapshot)
    plans = [plan for plan in _plans(snapshot, args) if plan.part not in args.skip]
    line("To do:")
    for plan in plans:
        line(f"  {plan.part:<10} {plan.text}")
    _say_neovim()
    _say_speed()
    _say_by_hand()
    line()
    open_ones = [plan for plan in plans if plan.act is not None]
    if args.dry_run or not open_ones:
        line("Nothing was done." if open_ones else "All of it is so already.")
        return 0
    if not confirmed("Do it?", yes=args.yes):
        note("nothing was changed")
        return 1
    failed = [plan.part for plan in plans if plan.blocked]
    failed += [plan.part for plan in open_ones if not _done(plan)]
    line()
    if failed:
        note(f"not done: {', '.join(failed)}; mend that, and type it again: what is done stays done")
        return 1
    line("Done; `ollama-locate setup --undo` takes it back. Open a new terminal, and type:")
    line("  echo $OLLAMA_ENDPOINT        the server that is best now")
    line("  ollama-locate watch          how it changes")
    return 0


def _done(plan: Plan) -> bool:
    """Do one part; whether that went well. One that fails does not keep the others from being done."""
    try:
        if plan.act is not None:
            plan.act()
    except OperatorError as error:
        note(f"ollama-locate: {plan.part}: {error}")
        return False
    return True


# --- what there is


def _say_found(snapshot: Snapshot) -> None:
    up = [one for one in snapshot.servers if one.health == "up" and one.kind != "self_check"]
    line("Found:")
    for name, says in tailnets(snapshot):
        line(f"  {'tailscale' if name == 'tailnet' else name:<10} {says}")
    line(f"  ollama     {'runs on this machine' if _ollama_here(snapshot) else 'does not run on this machine'}")
    line(f"  servers    {', '.join(one.name for one in up) or 'none; `ollama-locate why` says why'}")
    line(f"  shell      {_shell() or 'not known'}")
    line()


def _say_neovim() -> None:
    if shutil.which("nvim"):
        line(f"  {'neovim':<10} copy this into CodeCompanion's setup (docs/neovim.md):  {_NEOVIM}")


def _say_speed() -> None:
    """A key of its own must stand before the config's first table, where nothing can be added without being read."""
    with contextlib.suppress(StateFolderError):
        if config().rank is Rank.RTT and len({one.server for one in read_speeds(reader_folder())}) > 1:
            line(f"  speed      to compare servers by what was measured, begin {config_file()} with:")
            line(f'               rank = "{Rank.SPEED.value}"')


def _say_by_hand() -> None:
    """A variable that is set by hand wins over what is found: where that is."""
    for found in scanned(_shell(), _home(), str(state_folder())):
        for one in found.lines:
            if one.kind is Kind.SET and one.name == "OLLAMA_ENDPOINT":
                line(f"  by hand    take this out of {found.file.path}:{one.number}, as it hides what is found:")
                line(f"               {one.text}")


def _ollama_here(snapshot: Snapshot) -> bool:
    return any(one.kind == "local" and one.health == "up" for one in snapshot.servers)


def _shell() -> str:
    return Path(login_shell(os.environ)).name


def _home() -> Home:
    return Home(str(home()), os.environ, macos=sys.platform == "darwin")


# --- what is to be done


def _plans(snapshot: Snapshot, args: argparse.Namespace) -> list[Plan]:
    return [_variables(snapshot), _service(linger=args.linger), _shell_line()]


def _variables(snapshot: Snapshot) -> Plan:
    path, settings = config_file(), config()
    names = ", ".join(setup.VARIABLES)
    if "variables" in settings.raw:
        return Plan("variables", f"already chosen in {path}")
    if _ollama_here(snapshot):
        return Plan(
            "variables", "OLLAMA_ENDPOINT only: `ollama serve`, which runs here, listens where OLLAMA_HOST says"
        )
    return Plan(
        "variables",
        f"have {names} set too, which other programs read: in {path}",
        lambda: _append(path, setup.variables()),
    )


def _service(*, linger: bool) -> Plan:
    if reader_folder() == SYSTEM_STATE:
        return Plan("service", "the system's runs already, and you may read what it finds")
    try:
        manager = service.find(system=False)
        if manager.file.exists() and manager.state().active == "active":
            return Plan("service", f"runs already ({manager.file})")
        manager.check(service.located())
    except OperatorError as error:
        return Plan("service", f"cannot be installed: {error}", blocked=True)
    text = f"install {manager.file}, and start it"
    return Plan("service", text, lambda: _install(manager, linger=linger))


def _install(manager: Manager, *, linger: bool) -> None:
    lingered = manager.lingers() if isinstance(manager, Systemd) else True
    folder = state_folder()
    recorded.record(folder, Installed(linger=linger and lingered is False))
    try:
        service.install(argparse.Namespace(system=False, linger=linger))
    except OperatorError:
        if not manager.file.exists():
            recorded.forget_last(folder)
        raise


def _shell_line() -> Plan:
    shell, where = _shell(), _home()
    if follows(shell, scanned(shell, where, str(state_folder()))):
        return Plan("shell", f"{shell} follows already")
    if shell == "nu":
        path = nu_autoload()
        return Plan("shell", f"write {path}", lambda: _nu(path))
    names = [one.path for one in startup.find(shell, where) if one.terminal and "*" not in one.path]
    if not names:
        return Plan("shell", f"{shell or 'yours'} is not known here; docs/shells.md says what any shell can do")
    # bash reads the first of its login files that is there: a new ~/.bash_profile would keep it from ~/.profile.
    there = [name for name in names if os.path.exists(name)] if shell == "bash" else []  # noqa: PTH110 - text paths
    path = Path((there or names)[0])
    code = startup.line_for(shell, str(state_folder()), where.path)
    real = f" (a link to {os.path.realpath(path)})" if path.is_symlink() else ""
    return Plan("shell", f"add a line to {path}{real}:  {code}", lambda: _append(path, setup.line(code)))


def _append(path: Path, text: str) -> None:
    folder, step = state_folder(), recorded.planned(path, text)
    recorded.record(folder, step)
    try:
        recorded.do(step)
    except OperatorError:
        recorded.forget_last(folder)
        raise
    line(f"{path}: {'written' if step.made else 'added to'}")


def _nu(path: Path) -> None:
    recorded.record(state_folder(), Written(str(path)))
    hook.write(path)


# --- and back


def _undo(args: argparse.Namespace) -> int:
    folder = state_folder()
    done = recorded.recorded(folder)
    if not done.steps:
        note("setup has done nothing on this machine")
        return 0
    line("To take back:")
    for step in reversed(done.steps):
        line(f"  {_told(step)}")
    line()
    if not args.dry_run and not confirmed("Take it back?", yes=args.yes):
        note("nothing was changed")
        return 1
    if args.dry_run:
        line("Nothing was done.")
        return 0
    left: list[Step] = []
    for step in reversed(done.steps):
        try:
            _take_back(step)
        except OperatorError as error:
            note(f"ollama-locate: {error}")
            left.insert(0, step)
    recorded.write(folder, Record(tuple(left)))
    if left:
        note("not all of it was taken back; mend that, and type it again")
        return 1
    if any(isinstance(step, Installed) for step in done.steps):
        remove_state(folder)
    line("Taken back. Shells that are open keep what they have until they are closed.")
    return 0


def _told(step: Step) -> str:
    if isinstance(step, Installed):
        return "the service, and the files it wrote"
    return f"what was {'added to' if isinstance(step, Appended) else 'written:'} {step.file}"


def _take_back(step: Step) -> None:
    if isinstance(step, Installed):
        manager = service.find(system=False)
        for one in service.remove(manager, state_folder())[0]:
            line(f"removed: {one}")
        if step.linger and isinstance(manager, Systemd):
            manager.linger(on=False)
    elif isinstance(step, Written):
        Path(step.file).unlink(missing_ok=True)
        line(f"removed: {step.file}")
    elif recorded.take_out(step, _valid_config if step.file == os.path.realpath(config_file()) else lambda _: True):
        line(f"{step.file}: taken out")
    else:
        line(f"{step.file}: what was added is not there as it was; it is left as it is")


def _valid_config(text: str) -> bool:
    """Whether the rest stands without what was added: lines of the person's own may have come below its heading."""
    try:
        parse_config(text.encode("utf-8", "surrogateescape"), "")
    except OperatorError:
        return False
    return True
