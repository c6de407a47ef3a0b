"""The real daemon, as a process of its own, on an embedded tailnet: `python -m tests.standins.located TABLE ...`.

HISTORY_MIN_GAP in the environment is taken instead of the constant of this name.
"""

import os
import sys
from pathlib import Path

from ollama_locate.located import publisher
from ollama_locate.located.main import main

from .wire import EmbeddedWire

if __name__ == "__main__":
    if gap := os.environ.get("HISTORY_MIN_GAP"):
        vars(publisher)["HISTORY_MIN_GAP"] = float(gap)
    sys.exit(main(sys.argv[2:], EmbeddedWire(Path(sys.argv[1]))))
