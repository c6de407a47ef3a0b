"""The shells' hooks: their code stands in `shells/`; here the path, the forbidden names and bounds are filled in."""

from collections.abc import Callable, Mapping
from typing import Final

from . import names
from .bounds import HOOK_MAX_BYTES, VARIABLES_MAX
from .shell import sourced

SHELLS: Final = ("bash", "zsh", "fish", "nu")


def hook(shell: str, file: str, templates: Mapping[str, str]) -> str:
    """The start-up code of a shell. `file` is the path of `env`, with its undecodable bytes as surrogates."""
    filled = {
        "@FORBIDDEN@": names.GLOBS if shell in ("bash", "zsh") else names.REGEX,
        "@BYTES@": str(HOOK_MAX_BYTES),
        "@LIMIT@": str(HOOK_MAX_BYTES + 1),
        "@LINES@": str(VARIABLES_MAX + 1),  # and the marker
    }
    text = templates[f"hook.{shell}"]
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text.replace("@FILE@", QUOTE[shell](file))


def off(shell: str, templates: Mapping[str, str]) -> str:
    """What removes it from a running shell; what is ours is unset by the code of `env.sh`, which is told to be off."""
    env = templates["env.fish" if shell == "fish" else "env.sh"]
    return templates[f"off.{shell}"].replace("@ENV@", sourced(env, {}))


def _sh(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _nu(text: str) -> str:
    special = {"\\": "\\\\", '"': '\\"'} | {chr(code): f"\\u{{{code:x}}}" for code in (*range(32), 127)}
    return '"' + "".join(special.get(char, char) for char in text) + '"'


QUOTE: Final[Mapping[str, Callable[[str], str]]] = {"bash": _sh, "zsh": _sh, "fish": _fish, "nu": _nu}
"""How each shell takes a text literally."""
