"""The rule of the marker (docs/files.md), for programs that are started from here; the shells have their own."""

from collections.abc import Mapping
from typing import Final

from .names import may_be_set

MARKER: Final = "OLLAMA_LOCATE_APPLIED"
OFF: Final = "OLLAMA_LOCATE_OFF"


def applied(environment: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The environment with the variables that are ours to set; who set one by hand keeps it."""
    found = dict(environment)
    off = found.get(OFF, "") not in ("", "0")
    marks = []
    for item in filter(None, found.get(MARKER, "").split(",")):
        key, equals, value = item.partition("=")
        if not equals or not may_be_set(key):
            continue
        if found.get(key, "") == value and (off or key not in wanted):
            found.pop(key, None)
            continue
        marks.append(item)
    if off:
        found.pop(MARKER, None)
        return found
    for key, value in wanted.items():
        if is_ours(key, found.get(key, ""), marks):
            marks = [item for item in marks if item.partition("=")[0] != key] + [f"{key}={value}"]
            found[key] = value
    return found | {MARKER: ",".join(marks)}


def pairs(variables: Mapping[str, str]) -> str:
    """The marker of what was set."""
    return ",".join(f"{key}={value}" for key, value in variables.items())


def is_ours(key: str, value: str, marks: list[str]) -> bool:
    """Whether a variable with this value may be changed: unset, empty, or as the marker says that we set it."""
    return not value or ("," not in value and f"{key}={value}" in marks)


def overridden(environment: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Which of these have another value, that was set by hand."""
    marks = environment.get(MARKER, "").split(",")
    present = {key: environment.get(key, "") for key in wanted}
    return {key: value for key, value in present.items() if value != wanted[key] and not is_ours(key, value, marks)}
