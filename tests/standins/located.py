"""The real daemon, as a process of its own, on an embedded tailnet: `python -m tests.standins.located TABLE ...`."""

import sys
from pathlib import Path

from ollama_locate.located.main import main

from .wire import EmbeddedWire

if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], EmbeddedWire(Path(sys.argv[1]))))
