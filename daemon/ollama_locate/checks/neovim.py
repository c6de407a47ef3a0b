"""Neovim: whether the plugin is there, and as new as the daemon. Neovim itself is not started."""

import glob
import itertools
import re
import shlex
import shutil
from pathlib import Path
from typing import Final, NamedTuple

from ollama_locate.core.bounds import STARTUP_MAX_BYTES
from ollama_locate.core.constants import VERSION
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.startup import Home
from ollama_locate.core.text import shown
from ollama_locate.core.versions import older

from .case import Case
from .shell import home_of

_PLACES: Final = ("lazy/*", "plugged/*", "site/pack/*/*/*")
"""Below Neovim's data folder: lazy.nvim's, vim-plug's, Neovim's own and packer's."""

_MARK: Final = "lua/ollama_locate/init.lua"
_VERSION_FILE: Final = "daemon/ollama_locate/core/constants.py"
_VERSION: Final = re.compile(r'^VERSION: Final = "([^"\n]{1,64})"', re.MULTILINE)
_FILES_MAX: Final = 500


class Facts(NamedTuple):
    """What was found. `plugin` is its folder, `version` its own; `mentioned`: the user's config speaks of it."""

    nvim: bool
    plugin: str = ""
    version: str = ""
    mentioned: bool = False
    daemon: str = VERSION


def run(case: Case) -> list[Finding]:
    """Look at it."""
    seen = case.published()
    facts = gather(home_of(case))
    nvim = shutil.which("nvim", path=case.environment.get("PATH", "")) is not None
    return judge(facts._replace(nvim=nvim, daemon=seen.snapshot.program if seen else VERSION))


def judge(facts: Facts) -> list[Finding]:
    """Say what is wrong."""
    if not facts.nvim:
        return []
    if not facts.plugin:
        return [] if facts.mentioned else [found("neovim_missing")]
    if older(facts.version, facts.daemon):
        return [
            found(
                "neovim_old",
                theirs=shown(facts.version),
                ours=shown(facts.daemon, 64),
                path=shown(facts.plugin),
                quoted=shlex.quote(facts.plugin),
            )
        ]
    return []


def gather(home: Home) -> Facts:
    """The plugin's folder and version, by the files; a plugin kept elsewhere is known by the config's words only."""
    name = home.environment.get("NVIM_APPNAME") or "nvim"
    data, config = home.of("XDG_DATA_HOME", ".local/share"), home.of("XDG_CONFIG_HOME", ".config")
    for place in (*(f"{data}/{name}/{one}" for one in _PLACES), f"{config}/{name}/pack/*/*/*"):
        for mark in sorted(glob.glob(f"{place}/{_MARK}")):  # noqa: PTH207 - text paths
            plugin = mark.removesuffix(f"/{_MARK}")
            match = _VERSION.search(_beginning(Path(plugin) / _VERSION_FILE))
            return Facts(nvim=True, plugin=plugin, version=match[1] if match else "")
    return Facts(nvim=True, mentioned=_mentions(Path(config) / name))


def _mentions(folder: Path) -> bool:
    files = itertools.islice((path for kind in ("*.lua", "*.vim") for path in folder.rglob(kind)), _FILES_MAX)
    return any("ollama_locate" in text or "ollama-locate" in text for text in map(_beginning, files))


def _beginning(path: Path) -> str:
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(STARTUP_MAX_BYTES).decode(errors="replace")
    except OSError:
        return ""
