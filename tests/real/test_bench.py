"""`models --bench` of a real Ollama: what it says agrees with what Ollama says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.lab import MODEL
from tests.real.namespaces import until
from tests.real.ollama import request

if TYPE_CHECKING:
    from tests.real.figures import Figures
    from tests.real.lab import Lab
    from tests.real.located import Located

pytestmark = pytest.mark.real

NAME = f"{MODEL}:latest"


@pytest.fixture
def laptop(located: Located, lab: Lab) -> Located:
    located.writes(lab.url("gpu"), located.start(), 10)
    return located


def generate(lab: Lab, **body: Any) -> dict[str, Any]:
    """Ask the server itself, on its own machine."""
    said = request(lab.node("gpu"), f"{lab.url('gpu')}/api/generate", {"model": MODEL, "stream": False, **body}, 60)
    assert said
    answer: dict[str, Any] = json.loads(said)
    return answer


def rate(lab: Lab) -> float:
    """Tokens a second, as Ollama itself says of another generation."""
    own = generate(lab, prompt="Once upon a time", options={"num_predict": 64, "temperature": 0})
    assert own["eval_count"] >= 60
    return float(own["eval_count"] / own["eval_duration"] * 1e9)


def listed(lab: Lab, path: str) -> dict[str, Any]:
    said = request(lab.node("gpu"), f"{lab.url('gpu')}/api/{path}")
    assert said
    (model,) = json.loads(said)["models"]
    assert isinstance(model, dict)
    return model


def unload(lab: Lab) -> None:
    generate(lab, keep_alive=0)
    until(lambda: '"models":[]' in (request(lab.node("gpu"), f"{lab.url('gpu')}/api/ps") or ""), 20, "it is unloaded")


def benched(laptop: Located, *words: str) -> dict[str, Any]:
    done = laptop.cli("models", "--bench", *words, "--on", "gpu", "--yes", "--json", within=120)
    (speed,) = json.loads(done.stdout)["speeds"]
    assert isinstance(speed, dict)
    return speed


def test_the_figures_agree_with_ollamas_own(laptop: Located, lab: Lab, figures: Figures) -> None:
    unload(lab)
    speed = benched(laptop, MODEL)
    assert 0 < speed["first_token_s"] < 5
    assert 0 < speed["load_s"] < 30
    assert (speed["server"], speed["model"]) == ("gpu", NAME)
    assert listed(lab, "tags")["digest"].startswith(speed["digest"])
    assert len(speed["digest"]) == 12
    # A machine of two cores that does other things as well: the best of three of each is compared.
    rates, own = [speed["tokens_per_s"]], [rate(lab)]
    for _ in range(2):
        again = benched(laptop)  # what is loaded is what is measured where nobody names any
        rates.append(again["tokens_per_s"])
        own.append(rate(lab))
    ratio = max(rates) / max(own)
    figures.ratio("bench: the rate, against Ollama's own", max(ratio, 1 / ratio), 2)
    assert again["model"] == NAME
    assert again["load_s"] == speed["load_s"], "it was loaded already, and what a load takes is known from before"
    assert again["measured_at"] > speed["measured_at"]
    shown = laptop.cli("models", "--speeds").stdout.split("\t")
    assert shown[:2] == ["gpu", NAME]
    assert laptop.cli("models", "--advise").returncode == 0


def test_what_others_have_loaded_stays_loaded_as_they_wanted_it(laptop: Located, lab: Lab) -> None:
    generate(lab, keep_alive="47m", options={"num_ctx": 256})
    before = listed(lab, "ps")
    assert before["context_length"] == 256
    benched(laptop)
    after = listed(lab, "ps")
    assert after["context_length"] == 256
    assert after["expires_at"] > before["expires_at"], "47 minutes from now on: how long it stays is theirs to say"
    unload(lab)
