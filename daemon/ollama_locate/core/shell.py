"""The files that shells source, and the one that parsers read. docs/files.md states the rule of the marker.

The shells' code stands in `shells/env.sh` and `shells/env.fish`; here the variables are filled in. Their values are
of [A-Za-z0-9:/._-] and brackets, so that no quoting can go wrong.
"""

from collections.abc import Mapping

from .marker import MARKER, pairs


def sourced(template: str, variables: Mapping[str, str]) -> str:
    """`env.sh` or `env.fish`, of its template."""
    words = "".join(f" '{key}={value}'" for key, value in variables.items())
    return template.replace("@KEYS@", " ".join(variables)).replace("@PAIRS@", words)


def dotenv(variables: Mapping[str, str]) -> str:
    """`env`: one KEY=value a line and the marker last; for the hooks, systemd, docker, dotenv and Lua."""
    marker = {MARKER: pairs(variables)}
    return "".join(f"{key}={value}\n" for key, value in {**variables, **marker}.items())
