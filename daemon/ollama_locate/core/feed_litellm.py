"""A feed for LiteLLM's proxy: a `model_list` (docs.litellm.ai/docs/proxy/configs), as YAML.

Each value is written as JSON, which is YAML, and its text is ASCII: no name can become anything but text.
"""

from typing import Final

import msgspec

from .feed import Entry, Fed, entries, fed
from .models import full_name, is_model_name
from .snapshot import Snapshot
from .text import shown

FIRST: Final = "# A feed of ollama-locate for LiteLLM; what is changed here is lost."
"""What a file that this program wrote begins with."""

_LATEST: Final = ":latest"
_VARIABLE: Final = "os.environ/"
"""LiteLLM puts a variable's value in the place of a text that begins so, wherever it stands."""


def litellm(snapshot: Snapshot) -> Fed:
    """An entry for each model and server, of the servers whose list is known.

    `order` is the tier: LiteLLM's router takes the least that has not just failed, and the next one for a request that
    it failed.
    """
    found = entries(snapshot)
    left_out = list(found.left_out)
    lines: list[tuple[str, int, str, str]] = []
    servers = [one for one in found.all if one.state.models]
    for one in servers:
        embedding = _embedding(one)
        for model in dict.fromkeys(one.state.models or ()):
            if is_model_name(model) and not model.startswith(_VARIABLE):
                lines += [
                    (name, one.place, one.name, _entry(name, model, one, model in embedding)) for name in _names(model)
                ]
            else:
                left_out.append(f"a model of {one.name} is left out: its name cannot be written ({shown(model, 64)})")
    body = "".join(line for *_, line in sorted(lines))
    return fed(f"{FIRST}\nmodel_list:{' []' if not body else ''}\n{body}", servers, left_out)


def _names(model: str) -> list[str]:
    """As programs ask for it: Ollama takes a name without a tag for the `latest` one."""
    short = model.removesuffix(_LATEST)
    return [model, short] if short != model and full_name(short) == model else [model]


def _embedding(one: Entry) -> set[str]:
    """The models that embed and do not talk, as far as the server has said what they can do."""
    found = one.state.inventory or ()
    return {model.name for model in found if "embedding" in (model.can or ()) and "completion" not in (model.can or ())}


def _entry(name: str, model: str, one: Entry, embeds: bool) -> str:  # noqa: FBT001 - one of two kinds
    """LiteLLM's `ollama_chat` talks, and only its `ollama` embeds."""
    parameters = {
        "model": f"{'ollama' if embeds else 'ollama_chat'}/{model}",
        "api_base": one.state.url,
        "order": one.place + 1,
    }
    mode = '    model_info: {"mode":"embedding"}\n' if embeds else ""
    return f"  - model_name: {_json(name)}\n    litellm_params: {_json(parameters)}\n{mode}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
