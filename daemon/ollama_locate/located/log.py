"""The daemon's log: sentences on stderr; times only where nobody else adds them; JSON when asked."""

import json
import logging
import os
import sys
from typing import Final

LOGGER: Final = logging.getLogger("ollama_locate")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        from ollama_locate.core.snapshot import rfc3339  # noqa: PLC0415 - only where JSON is asked for

        line = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up(level: str, form: str = "text") -> None:
    """Send the package's log to stderr. Under systemd the journal has the time (JOURNAL_STREAM is set)."""
    handler = logging.StreamHandler(sys.stderr)
    if form == "json":
        handler.setFormatter(JsonFormatter())
    elif "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    LOGGER.handlers[:] = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(level.upper())
