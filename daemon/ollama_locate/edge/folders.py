"""Where the state folder and the config are. query.py answers the same; one table of cases tests both."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from platformdirs.unix import Unix

from ollama_locate.core.errors import StateFolderError

SYSTEM_STATE: Final = Path("/var/lib/ollama-locate")
SYSTEM_CONFIG: Final = Path("/etc/ollama-locate/config.toml")
_DIRS: Final = Unix("ollama-locate", appauthor=False)


def state_folder() -> Path:
    """The folder to write: $OLLAMA_LOCATE_STATE_DIR, else below XDG_STATE_HOME; on macOS as well: no blanks."""
    if said := os.environ.get("OLLAMA_LOCATE_STATE_DIR"):
        if not said.startswith("/"):
            raise StateFolderError(f"OLLAMA_LOCATE_STATE_DIR must be an absolute path, not `{said}`")
        return Path(said)
    if _absolute("XDG_STATE_HOME"):
        return _DIRS.user_state_path
    return home() / ".local/state/ollama-locate"


def reader_folder() -> Path:
    """The folder to read: the user's own where it holds an endpoint, else the system service's."""
    own = state_folder()
    said = os.environ.get("OLLAMA_LOCATE_STATE_DIR")
    if said or os.path.exists(own / "endpoint") or not os.path.exists(SYSTEM_STATE / "endpoint"):  # noqa: PTH110 - no error
        return own
    return SYSTEM_STATE


def config_file() -> Path:
    """The config, there or not."""
    if _absolute("XDG_CONFIG_HOME"):
        return _DIRS.user_config_path / "config.toml"
    return home() / ".config/ollama-locate/config.toml"


def reader_config() -> Path:
    """The config of the daemon whose folder is read: the user's own, or the system service's."""
    return SYSTEM_CONFIG if reader_folder() == SYSTEM_STATE else config_file()


def user_units(environment: Mapping[str, str]) -> Path:
    """Where systemd's user manager, whose environment this is, finds a user's own units."""
    config = environment.get("XDG_CONFIG_HOME", "")
    return (Path(config) if config.startswith("/") else home() / ".config") / "systemd/user"


def nu_autoload() -> Path:
    """The file that nu reads at its start, if it is there: in `vendor/autoload` of `$nu.data-dir`."""
    if _absolute("XDG_DATA_HOME"):
        data = Path(os.environ["XDG_DATA_HOME"])
    else:
        data = home() / ("Library/Application Support" if sys.platform == "darwin" else ".local/share")
    return data / "nushell/vendor/autoload/ollama-locate.nu"


def home() -> Path:
    """The user's home folder. Raises StateFolderError."""
    try:
        return Path.home()
    except RuntimeError:
        raise StateFolderError("you have no home folder; set HOME, or OLLAMA_LOCATE_STATE_DIR") from None


def _absolute(name: str) -> bool:
    """The XDG specification: a path that is not absolute is to be ignored."""
    return os.environ.get(name, "").startswith("/")
