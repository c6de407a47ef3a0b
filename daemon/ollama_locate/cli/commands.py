"""The commands of a command line: what stands before one must not be swallowed, and errors show its own usage."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    _Action = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no other name
else:
    _Action = argparse._SubParsersAction  # noqa: SLF001 - as above; at run time it takes no [...]


class Commands(_Action):
    """For `add_subparsers`."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Go on with the command's own parser."""
        name = str(values[0]) if values else ""
        below = self.choices.get(name)
        if below is not None:
            self._before(parser, namespace, name, below)
        super().__call__(parser, namespace, values, option_string)
        odd = getattr(namespace, argparse._UNRECOGNIZED_ARGS_ATTR, None)  # noqa: SLF001 - where argparse keeps them
        if odd and below is not None:
            below.error(f"unrecognized arguments: {' '.join(odd)}")

    def _before(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, name: str, below: argparse.ArgumentParser
    ) -> None:
        """Options that stand before a command would be overridden by its own, and asked by nobody."""
        for option in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
            given = getattr(namespace, option.dest, None) != parser._defaults.get(option.dest)  # noqa: SLF001 - as above
            if not option.option_strings or not given:
                continue
            word = option.option_strings[-1]
            own = next((one for one in below._actions if word in one.option_strings), None)  # noqa: SLF001 - as above
            if own is None:
                below.error(f"`{name}` takes no {word}")
            elif own.default is not argparse.SUPPRESS:  # else what stands before the command is left as it is
                below.error(f"{word} goes after `{name}`")
