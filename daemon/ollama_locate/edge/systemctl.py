"""systemd's word on a unit."""

from ollama_locate.core.bounds import DOCTOR_COMMAND
from ollama_locate.core.text import shown
from ollama_locate.core.units import UNIT

from .call import call


def show(*properties: str, user: bool, unit: str = UNIT) -> dict[str, str] | None:
    """The properties of a unit, of the user's systemd or the system's; None where systemctl is missing or fails."""
    words = ["systemctl", *(["--user"] if user else []), "show", unit, f"--property={','.join(properties)}"]
    said = call(words, DOCTOR_COMMAND)
    if not said.fine:
        return None
    pairs = (line.partition("=") for line in said.out.splitlines())
    return {key: shown(value) for key, _, value in pairs}
