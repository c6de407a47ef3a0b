"""What comes with the package as files: the shells' code, the service definitions."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ollama_locate.core import hook

_NAMES: Final = (
    *("env.sh", "env.fish"),
    *(f"hook.{shell}" for shell in hook.SHELLS),
    *("off.bash", "off.zsh", "off.fish"),
)
_COMPLETIONS: Final = ("names.bash", "words.bash", "names.zsh", "names.fish")


@cache
def templates() -> Mapping[str, str]:
    """File name -> text, read once."""
    folder = resources.files("ollama_locate") / "shells"
    return MappingProxyType({name: (folder / name).read_text("ascii") for name in _NAMES})


@cache
def completions() -> Mapping[str, str]:
    """What of the shells' completion is our own: file name -> text."""
    folder = resources.files("ollama_locate") / "completions"
    return MappingProxyType({name: (folder / name).read_text("ascii") for name in _COMPLETIONS})


@cache
def hooks(folder: Path) -> dict[str, bytes]:
    """The hooks that lie in a state folder and read the file `env` there: file name -> content."""
    texts = {f"hook.{shell}": hook.hook(shell, str(folder / "env"), templates()) for shell in hook.SHELLS}
    return {name: text.encode("utf-8", "surrogateescape") for name, text in texts.items()}


def service(name: str) -> str:
    """A service definition, such as `systemd/ollama-located.service`: from the wheel, or from the tree's own root."""
    package = Path(str(resources.files("ollama_locate")))
    places = (package / "services" / name, package.parent.parent / name)
    return next(path for path in places if path.exists()).read_text("ascii")
