"""A team's HAProxy and LiteLLM, fed by the daemon: each answers a chat from a real Ollama, and from the next one."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.real import clients
from tests.real.lab import MODEL
from tests.real.namespaces import until
from tests.real.ollama import request

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real.conftest import Daemons
    from tests.real.lab import Lab
    from tests.real.located import Located

pytestmark = pytest.mark.real

PORT = 11436
URL = f"http://127.0.0.1:{PORT}"
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "stream": False, "max_tokens": 8}
WORDS = 60.0
STARTS = 120.0
KEY = "sk-of-the-tests-0123456789abcdef0123456789abcdef"

BASE = f"""\
defaults
    timeout client 10m
    timeout connect 5s
    timeout server 1m
frontend front
    mode http
    bind 127.0.0.1:{PORT}
    default_backend ollama
"""
INCLUDES = """\
include: [feed]
router_settings: {num_retries: 1, cooldown_time: 30}
"""
# The answer's body, and who gave it.
ASK = """
import json, sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
head = {"content-type": "application/json", "authorization": "Bearer " + sys.argv[3]}
with opener.open(urllib.request.Request(sys.argv[1], sys.argv[2].encode(), head), timeout=60) as answer:
    print(answer.headers["x-litellm-model-api-base"], json.load(answer)["choices"][0]["message"]["content"] != "")
"""


def fed(daemons: Daemons, kind: str, folder: Path) -> tuple[Located, Path]:
    """A daemon with this feed, which has been written; its command has noted it."""
    file, noted = folder / "feed", folder / "noted"
    located = daemons(feed=f'[{{format = "{kind}", file = "{file}", run = ["touch", "{noted}"]}}]')
    located.start()
    until(noted.exists, WORDS, f"the feed is written\n{located.log()}")
    return located, file


def test_haproxy_reaches_an_ollama_on_loopback_too(lab: Lab, daemons: Daemons, tmp_path: Path) -> None:
    """`nas` takes no Host but its own and `localhost`; when gpu dies, the very next request is its."""
    program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("haproxy is not installed (Debian: apt-get install haproxy)")
    located, file = fed(daemons, "haproxy", tmp_path)
    (tmp_path / "base.cfg").write_text(BASE)
    log = tmp_path / "haproxy.log"
    proxy = located.node.spawn(program, "-db", "-f", tmp_path / "base.cfg", "-f", file, log=log)
    until(lambda: request(located.node, f"{URL}/api/version"), WORDS, "HAProxy answers")
    assert "choices" in (request(located.node, f"{URL}/v1/chat/completions", CHAT, WORDS) or log.read_text())
    with lab.ollama_killed("gpu"):
        assert "choices" in (request(located.node, f"{URL}/v1/chat/completions", CHAT, WORDS) or log.read_text())
    proxy.stop()


def test_litellm_answers_by_the_order_of_the_tiers(lab: Lab, daemons: Daemons, tmp_path: Path) -> None:
    located, _ = fed(daemons, "litellm", tmp_path)
    (tmp_path / "config.yaml").write_text(INCLUDES)
    log = tmp_path / "litellm.log"
    env = {"LITELLM_MASTER_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HOME": str(tmp_path)}
    words: list[str | Path] = ["--config", tmp_path / "config.yaml", "--host", "127.0.0.1", "--port", str(PORT)]
    proxy = located.node.spawn(clients.proxy() / "litellm", *words, log=log, env=env)
    until(lambda: request(located.node, f"{URL}/health/liveliness"), STARTS, "LiteLLM answers")

    def ask(model: str) -> str:
        body = json.dumps(CHAT | {"model": model})
        words = [sys.executable, "-I", "-c", ASK, f"{URL}/v1/chat/completions", body, KEY]
        return located.node.exec(*words, within=WORDS + 10).stdout.strip()

    assert ask("mistral") == f"{lab.url('gpu')} True"
    assert ask("mistral:latest") == f"{lab.url('gpu')} True"
    with lab.ollama_killed("gpu"):
        assert ask("mistral") == f"{lab.url('nas')} True"
    proxy.stop()
