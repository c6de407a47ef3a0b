"""What hatchling runs: man pages and completions come into the wheel's data files, and into the sdist."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GeneratedFiles(BuildHookInterface[Any]):
    """In a process of its own, as this one is the build front end's and has its own modules."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make them, unless what is built only points to the sources."""
        if version == "editable":
            return
        self._made = tempfile.TemporaryDirectory()
        generate = str(Path(self.root) / "packaging" / "generate.py")
        done = subprocess.run(  # noqa: S603 - this Python, our own file
            [sys.executable, generate, self._made.name], check=True, stdout=subprocess.PIPE, text=True
        )
        key = "shared_data" if self.target_name == "wheel" else "force_include"
        build_data[key] |= {str(Path(self._made.name) / place): place for place in done.stdout.splitlines()}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's
        """Take them away again."""
        if version != "editable":
            self._made.cleanup()
