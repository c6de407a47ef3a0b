"""What is run when the endpoint changes, and what it is told."""

from typing import TYPE_CHECKING

from .text import is_value

if TYPE_CHECKING:
    from .snapshot import DecisionState


def differs(old: "DecisionState | None", new: "DecisionState") -> bool:
    """Whether a command is run for this: another endpoint, or another verdict on it."""
    return old is None or (old.endpoint, old.verdict) != (new.endpoint, new.verdict)


def environment(old: "DecisionState | None", new: "DecisionState") -> dict[str, str]:
    """What a command is told. A value that is no plain word (core/text.is_value) is empty, and so is all of no `old`.

    A name comes from the network, and a command may well be a shell script that forgets its quotes.
    """
    told = {
        "OLD_ENDPOINT": old.endpoint if old else "",
        "OLD_NAME": _name(old) if old else "",
        "OLD_VERDICT": old.verdict if old else "",
        "NEW_ENDPOINT": new.endpoint,
        "NEW_NAME": _name(new),
        "VERDICT": new.verdict,
        "REASON": new.reason,
    }
    return {f"OLLAMA_LOCATE_{name}": value if is_value(value) else "" for name, value in told.items()}


def _name(decision: "DecisionState") -> str:
    """As in prompts: this machine is called as in `prefer`, and nobody was found has no name."""
    key = decision.server
    return "" if key is None else "local" if key.startswith("local:") else decision.name
