"""What is read back from a file of our own: types that msgspec checks when it decodes, and the schema."""

from typing import Annotated, Protocol, TypeVar

import msgspec

from .bounds import SCHEMA
from .text import HARMLESS, shown

Shown = Annotated[str, msgspec.Meta(pattern=HARMLESS)]
"""Who reads a state.json prints it: one with control characters is not believed."""

Whole = Annotated[int, msgspec.Meta(ge=-(2**60), le=2**60)]
"""More digits than these no writer of JSON of ours takes."""


class Versioned(Protocol):
    """The content of a file."""

    @property
    def schema(self) -> int:
        """It grows when a reader of the old one would be misled."""


T = TypeVar("T", bound=Versioned)


def read_back(decoder: "msgspec.json.Decoder[T]", data: bytes) -> T:
    """What lies in a file. Raises ValueError with a sentence."""
    try:
        found = decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"it cannot be read: {shown(str(error))}") from None
    check_schema(found.schema)
    return found


def check_schema(schema: int) -> None:
    """Raise ValueError with a sentence where a later program wrote it."""
    if schema > SCHEMA:
        raise ValueError(f"it has schema {schema}, this program knows {SCHEMA}: upgrade ollama-locate")
