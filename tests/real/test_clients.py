"""Programs that read a variable, each really talking to a real Ollama through what we set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.real import clients
from tests.real.namespaces import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real.conftest import Daemons
    from tests.real.lab import Lab
    from tests.real.located import Located

pytestmark = pytest.mark.real

VARIABLES = """{ OLLAMA_HOST = "{url}", OLLAMA_API_BASE = "{url}", OPENAI_BASE_URL = "{url}/v1" }"""
WORDS = 60.0

OLLAMA_PYTHON = """
import ollama
print(ollama.chat("mistral", [{"role": "user", "content": "hi"}], options={"num_predict": 8}).message.content)
"""
LITELLM = """
import litellm
answer = litellm.completion("ollama/mistral", [{"role": "user", "content": "hi"}], max_tokens=8)
print(answer.choices[0].message.content)
"""
OPENAI = """
import openai
client = openai.OpenAI(api_key="none")
answer = client.chat.completions.create(model="mistral", messages=[{"role": "user", "content": "hi"}], max_tokens=8)
print(answer.choices[0].message.content)
"""

CLIENTS = [
    pytest.param(["ollama", "run", "mistral", "hi"], id="the ollama command"),
    pytest.param(["python", "-c", OLLAMA_PYTHON], id="ollama-python"),
    pytest.param(["python", "-c", LITELLM], id="litellm"),
    pytest.param(["python", "-c", OPENAI], id="the OpenAI SDK"),
    pytest.param(["llm", "-m", "ollama/mistral", "hi"], id="llm with llm-ollama"),
]


@pytest.fixture(scope="module")
def places(lab: Lab) -> list[Path]:
    """Where the programs stand."""
    return [clients.installed(), lab.tailnet.programs]


@pytest.fixture
def daemon(lab: Lab, daemons: Daemons) -> Located:
    """A daemon that sets what these clients read."""
    located = daemons(variables=VARIABLES)
    located.ready(lab.url("gpu"))
    return located


def answers(lab: Lab, name: str) -> int:
    """How many requests this server has answered so far."""
    return len(re.findall(r"\| 200 \|.*\| POST ", lab.ollamas[name].log.read_text(errors="replace")))


@pytest.mark.parametrize("command", CLIENTS)
def test_a_client_gets_its_answer(lab: Lab, daemon: Located, places: list[Path], command: list[str]) -> None:
    """By `ollama-locate exec`: nothing else tells it where Ollama is."""
    asked = answers(lab, "gpu")
    program = next(place / command[0] for place in places if (place / command[0]).exists())
    done = daemon.cli("exec", "--require", "--", str(program), *command[1:], within=WORDS)
    assert done.stdout.strip()
    assert answers(lab, "gpu") > asked


TWICE = """
import ollama, pathlib, sys, time
client = ollama.Client("http://127.0.0.1:11435")
for _ in range(2):
    print(client.generate("mistral", "hi", options={"num_predict": 4}).done, flush=True)
    while not pathlib.Path(sys.argv[1]).exists():
        time.sleep(0.01)
"""


def test_a_program_that_keeps_its_address(lab: Lab, daemons: Daemons, places: list[Path], tmp_path: Path) -> None:
    """Through the stable address its next question, on the same connection, is answered by the other server."""
    located = daemons(forward='{ listen = "127.0.0.1:11435" }')
    located.ready(lab.url("gpu"))
    log, go_on = tmp_path / "client.log", tmp_path / "go on"
    client = located.node.spawn(places[0] / "python", "-c", TWICE, go_on, log=log)
    until(lambda: log.read_text() == "True\n", WORDS, "gpu answers")
    asked = answers(lab, "nas")
    with lab.ollama_killed("gpu"):
        go_on.touch()
        until(lambda: log.read_text() == "True\nTrue\n", WORDS, f"nas answers: {log.read_text()}")
    assert answers(lab, "nas") > asked
    client.stop()
