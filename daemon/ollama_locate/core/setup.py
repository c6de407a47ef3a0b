"""What `setup` does to a person's files, and the record by which `setup --undo` takes back exactly that."""

from typing import Final

import msgspec

from .bounds import SCHEMA

VARIABLES: Final = ("OLLAMA_HOST", "OLLAMA_API_BASE", "OLLAMA_BASE_URL")
"""What the most programs read (docs/clients.md). `ollama serve` binds to the first, so not where an Ollama runs."""

_SIGN: Final = "  # ollama-locate setup"


class Appended(msgspec.Struct, frozen=True, tag="appended"):
    """This text was put at the end of a file; `made`: the file was not there before."""

    file: str
    text: str
    made: bool


class Installed(msgspec.Struct, frozen=True, tag="service"):
    """The service was installed; `linger`: and the user's services were let run on after the logout."""

    linger: bool


class Written(msgspec.Struct, frozen=True, tag="written"):
    """A whole file was written."""

    file: str


Step = Appended | Installed | Written


class Record(msgspec.Struct, frozen=True):
    """What was done, in order."""

    steps: tuple[Step, ...] = ()
    schema: int = SCHEMA


def parse(data: bytes) -> Record:
    """Raises ValueError with a sentence."""
    try:
        return msgspec.json.decode(data, type=Record)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"it cannot be read: {error}") from None


def render(record: Record) -> bytes:
    """The file's content."""
    return msgspec.json.encode(record) + b"\n"


def line(code: str) -> str:
    """A line of a start-up file, signed."""
    return f"{code}{_SIGN}\n"


def variables(names: tuple[str, ...] = VARIABLES) -> str:
    """The part of the config that has these set."""
    return "[variables]" + _SIGN + "\n" + "".join(f'{name} = "{{url}}"\n' for name in names)


def appended(before: str, text: str) -> str:
    """What is to be added so that `text` begins on a line of its own."""
    return text if not before or before.endswith("\n") else "\n" + text


def without(now: str, added: str) -> str | None:
    """The file without what was added, wherever it stands by now; None where it is not there any more."""
    for text in (added, added.removeprefix("\n")):
        place = now.rfind(text)
        if place >= 0 and (place == 0 or text.startswith("\n") or now[place - 1] == "\n"):
            rest = now[place + len(text) :]
            # The newline that ended the person's own last line is still needed if another one follows.
            between = "\n" if text.startswith("\n") and rest else ""
            return now[:place] + between + rest
    return None
