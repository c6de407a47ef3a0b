"""The command line of `ollama-locate`: which words mean which command."""

import argparse
import io
import sys

from ollama_locate.core.constants import VERSION
from ollama_locate.core.errors import OperatorError, UsageError

from . import (
    completion,
    config,
    doctor,
    ensure,
    env,
    execute,
    expose,
    feed,
    history,
    hook,
    models,
    pin,
    refresh,
    service,
    setup,
    status,
    url,
    watch,
    why,
)
from .commands import Commands
from .help import Help

COMMANDS = (
    *(url, status, why, watch, doctor, models, ensure, history, pin, refresh, execute, env, hook),
    *(setup, service, expose, feed, config, completion),
)

_EXAMPLES = """\
examples:
  ollama-locate setup                    set everything up, once
  ollama-locate                          print the best endpoint
  export OLLAMA_HOST=$(ollama-locate)    use it in a script
  ollama-locate exec -- python chat.py   run a program with the variables set
  ollama-locate status                   the servers at a glance
  ollama-locate watch                    the same, live
  ollama-locate why gpu-box              why this one is, or is not, chosen
  ollama-locate doctor                   what is wrong, and the command that mends it
  ollama-locate history --since 2d       when the endpoint changed, and why
  ollama-locate ensure qwen3:8b          have it loaded, pulled if nobody has it
  ollama-locate pin gpu-box --for 2h     this one, whatever is found
  ollama-locate feed haproxy             a backend of all servers, for HAProxy
  ollama-located                         the daemon (foreground)

exit codes:
  0 a server (if it is stale, stderr says so)    1 a failure    2 usage
  3 with --strict: stale    4 none found (http://localhost:11434 is printed)"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="ollama-locate",
        description="Prints the best live Ollama of your tailnet, and says why it is that one.",
        epilog=_EXAMPLES,
        formatter_class=Help,
    )
    top.add_argument("--version", action="version", version=f"ollama-locate {VERSION}")
    url.add_options(top)
    commands = top.add_subparsers(metavar="COMMAND", title="commands", action=Commands)
    for command in COMMANDS:
        command.add(commands)
    top.set_defaults(run=url.run, strict=False, model=None, can=None, loaded=False, wait=None, shows="url")
    return top


def main(argv: list[str]) -> int:
    """Run a command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter shows another one
    args = parser().parse_args(argv)
    try:
        code: int = args.run(args)
    except OperatorError as error:
        sys.stderr.write(f"ollama-locate: {error}\n")
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        return 130
    return code
