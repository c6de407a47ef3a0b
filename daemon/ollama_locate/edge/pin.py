"""pin.json in the state folder."""

from pathlib import Path
from typing import Final

from ollama_locate.core.bounds import REQUEST_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.pin import Pin, parse_pin, render_pin

from .files import StateFolder, read

_NAME: Final = "pin.json"


def read_pin(folder: Path, now: float) -> Pin | None:
    """The pin, None where there is none or its time (`now`, epoch seconds) is over. Raises StateFolderError."""
    data = read(folder, _NAME, REQUEST_MAX_BYTES)
    if data is None:
        return None
    try:
        pin = parse_pin(data)
    except ValueError as error:
        raise StateFolderError(f"{folder / _NAME}: {error}; `ollama-locate unpin` removes it") from None
    return None if pin.until is not None and pin.until <= now else pin


def write_pin(folder: Path, pin: Pin) -> None:
    """Make the folder if need be, and write it as a whole. Raises StateFolderError."""
    state = StateFolder(folder)
    try:
        state.publish({_NAME: render_pin(pin)}, durable=(_NAME,))
    finally:
        state.close()


def remove_pin(folder: Path) -> bool:
    """Remove it; returns whether there was one. Raises StateFolderError."""
    try:
        (folder / _NAME).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StateFolderError(f"cannot remove {folder / _NAME}: {error.strerror}") from None
    return True
