"""systemd's word on a unit."""

import subprocess

from ollama_locate.core.constants import DOCTOR_COMMAND
from ollama_locate.core.text import shown


def show(*properties: str, user: bool, unit: str = "ollama-located.service") -> dict[str, str] | None:
    """The properties of a unit, of the user's systemd or the system's; None where systemctl is missing or fails."""
    words = ["systemctl", *(["--user"] if user else []), "show", unit, f"--property={','.join(properties)}"]
    try:
        said = subprocess.run(  # noqa: S603 - constant words, and a unit's name from here
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=DOCTOR_COMMAND, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if said.returncode != 0:
        return None
    pairs = (line.partition("=") for line in said.stdout.decode(errors="replace").splitlines())
    return {key: shown(value) for key, _, value in pairs}
