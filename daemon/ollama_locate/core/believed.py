"""Types of what is read back from a file that a daemon has published: msgspec checks them when it decodes."""

from typing import Annotated

import msgspec

from .text import HARMLESS

Shown = Annotated[str, msgspec.Meta(pattern=HARMLESS)]
"""Who reads a state.json prints it: one with control characters is not believed."""

Whole = Annotated[int, msgspec.Meta(ge=-(2**60), le=2**60)]
"""More digits than these no writer of JSON of ours takes."""
