"""Programs that note with what words they were called, and answer as a table says."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Says(NamedTuple):
    """What a call prints, how it ends, and what else it runs (a line of sh)."""

    out: str = ""
    err: str = ""
    code: int = 0
    does: str = ""


class Programs:
    """A folder for PATH. `asked` are the calls so far, each as it would be typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self._log = folder / "asked"
        self._log.touch()

    @property
    def asked(self) -> list[str]:
        return self._log.read_text().splitlines()

    def put(self, name: str, answers: Mapping[str, Says]) -> None:
        """`answers`: a pattern of sh's `case` for the words -> what is said; the first that fits. Else nothing."""
        cases = "".join(
            f"{pattern}) {says.does or ':'}\n printf %s {shlex.quote(says.out)}\n"
            f" printf %s {shlex.quote(says.err)} >&2\n exit {says.code};;\n"
            for pattern, says in answers.items()
        )
        file = self.folder / name
        log = shlex.quote(str(self._log))
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\ncase "$*" in\n{cases}esac\n')
        file.chmod(0o755)
