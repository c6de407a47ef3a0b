"""What the tests of the hooks share: the file that is followed, and the hook beside it."""

from pathlib import Path
from typing import Final

from ollama_locate.core.hook import hook, off
from ollama_locate.core.shell import dotenv
from ollama_locate.edge.templates import templates

from .shells import Shell

ONE: Final = "http://100.64.0.2:11434"
TWO: Final = "http://100.64.0.3:11434"
SIX: Final = "http://[fd7a:115c::7]:11434"
MARK: Final = "OLLAMA_LOCATE_APPLIED"
OFF: Final = "OLLAMA_LOCATE_OFF"


class Followed:
    """A state folder whose path has all that a path may hold. `line` is for a start-up file, `off` removes it again."""

    def __init__(self, shell: Shell, folder: Path) -> None:
        state = folder / 'it\'s a "state" $(folder) \\ `!*[x]'
        state.mkdir()
        self.file = state / "env"
        self.code = state / f"hook.{shell.kind}"
        self.code.write_text(hook(shell.kind, str(self.file), templates()))
        self.line = f"{shell.source} {shell.quote(str(self.code))}"
        self.off = ""
        if shell.kind != "nu":
            removal = state / f"off.{shell.kind}"
            removal.write_text(off(shell.kind, templates()))
            self.off = f"{shell.source} {shell.quote(str(removal))}"

    def write(self, text: bytes) -> None:
        """As the daemon does it: a reader sees the old file or the new one."""
        beside = self.file.with_name("new")
        beside.write_bytes(text)
        beside.replace(self.file)

    def publish(self, **variables: str) -> None:
        """What the daemon writes for these."""
        self.write(dotenv(variables).encode())
