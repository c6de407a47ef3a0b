"""`ensure` against real servers that pull, stall, lie and flood."""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ollama_locate.cli import ensuring, pulled
from ollama_locate.core import pulling
from ollama_locate.core.snapshot import Snapshot, rfc3339
from ollama_locate.edge import pull
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.lock import Lock
from ollama_locate.edge.requests import Request, receive
from tests.cli.command import Command
from tests.snapshots import alive, snapshot
from tests.standins.tailscale import node, raw, replaying

PROGRAM = [sys.executable, "-c", "import sys; from ollama_locate.main import main; sys.exit(main())"]
MODELS = ("mistral:latest", "lies:latest", "heavy:latest", "embeds:latest", "hangs:latest")


class Server:
    """A stand-in that runs."""

    def __init__(self, log: Path, *models: str) -> None:
        self._log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.standins.puller", str(log), *models], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        self.models = models
        self._before = 0

    def forget(self) -> None:
        """What was asked so far is of another test."""
        self._before += len(self.asked())

    def asked(self, path: str = "") -> list[tuple[str, dict[str, Any]]]:
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        found = [(one["path"], one["body"]) for one in map(json.loads, lines[self._before :])]
        return [one for one in found if path in one[0]]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[Server] = []

    def begin(*models: str) -> Server:
        made.append(Server(tmp_path / f"log{len(made)}", *models))
        return made[-1]

    yield begin
    for one in made:
        one.end()


@pytest.fixture
def publish(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Publish servers by their names, the first being the current one; `config` is what else the config says."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "config/ollama-locate/config.toml"
    file.parent.mkdir(parents=True)

    def put(config: str = "", lists: dict[str, tuple[str, ...]] | None = None, **servers: Server) -> None:
        static = "".join(f'{name} = "{server.url}"\n' for name, server in servers.items())
        text = f'local = "off"\nprefer = {json.dumps(list(servers))}\n{config}\n[static]\n{static}'
        file.write_text(text)
        probes = {
            f"static:{name}": alive(0.01, *(lists or {}).get(name, server.models)) for name, server in servers.items()
        }
        run.publish(snapshot(probes, raw=raw(), config=text))

    return put


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("standing") / "log", *MODELS)
    yield server
    server.end()


@pytest.fixture
def gpu(standing: Server, publish: Callable[..., None]) -> Server:
    """The only server, and the current one. It keeps what other tests have pulled, and does not list it."""
    standing.forget()
    publish(gpu=standing)
    return standing


def asleep(found: Snapshot, *models: str) -> Snapshot:
    """The same, with a server that had these, and has been silent for 11 s."""
    since = rfc3339(time.time() - 11)
    silent = replace(
        found.servers[0],
        key="n9:11434",
        name="big-box",
        url="http://100.64.0.9:11434",
        kind="peer",
        standing="down",
        text="is silent",
        health="down",
        models=models,
        alive_at=since,
    )
    return replace(found, servers=(*found.servers, silent))


@contextlib.contextmanager
def daemon(run: Command) -> Iterator[None]:
    """This process holds the lock of one, and hears its signal."""
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    folder = StateFolder(run.folder)
    lock = Lock(folder)
    try:
        yield
    finally:
        lock.release()
        folder.close()
        signal.signal(signal.SIGUSR1, before)


def objects(out: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in out.splitlines()]
    assert all(one["schema"] == 1 for one in found)
    return found


@pytest.mark.parametrize("name", ["mistral", "mistral:latest", "library/mistral", "registry.ollama.ai/library/mistral"])
def test_who_has_it_loads_it(run: Command, gpu: Server, name: str) -> None:
    assert run("ensure", name) == (0, f"{gpu.url}\n", "loading mistral:latest on gpu\n")
    assert gpu.asked() == [("/api/generate", {"model": "mistral:latest"})]


def test_a_server_of_which_the_config_says_another_url_by_now_gets_nothing(
    run: Command, gpu: Server, tmp_path: Path
) -> None:
    """Its headers may be meant for the other one."""
    file = tmp_path / "config/ollama-locate/config.toml"
    file.write_text(file.read_text().replace(gpu.url, "https://new.example"))
    code, out, err = run("ensure", "mistral")
    assert (code, out, "the config names another URL by now" in err) == (1, "", True)
    assert gpu.asked() == []


def test_an_alias_is_never_pulled(run: Command, gpu: Server, publish: Callable[..., None]) -> None:
    publish('[models.alias]\ncoder = ["qwen:32b", "qwen:7b"]', gpu=gpu)
    code, out, err = run("ensure", "coder")
    assert (code, out) == (1, "")
    assert err == "ollama-locate: this is an alias; name the model: qwen:32b or qwen:7b\n"
    assert gpu.asked() == []


def test_what_nobody_has_is_pulled_to_the_current_one_and_loaded(run: Command, gpu: Server) -> None:
    code, out, err = run("ensure", "absent", "--insecure")
    assert (code, out) == (0, f"{gpu.url}\n")
    assert err.startswith("pulling absent:latest to gpu\n")
    assert err.endswith("loading absent:latest on gpu\n")
    assert gpu.asked() == [
        ("/api/pull", {"model": "absent:latest", "insecure": True}),
        ("/api/generate", {"model": "absent:latest"}),
    ]


def test_a_model_that_only_embeds_is_loaded_too(run: Command, gpu: Server) -> None:
    assert run("ensure", "embeds")[::2] == (0, "loading embeds:latest on gpu\n")
    assert gpu.asked()[-1] == ("/api/embed", {"model": "embeds:latest"})


def test_for_programs_an_object_a_line(run: Command, gpu: Server) -> None:
    code, out, err = run("ensure", "told", "--json")
    events = objects(out)
    assert (code, err) == (0, "")
    assert events[0] == {
        "schema": 1,
        "event": "pulling",
        "model": "told:latest",
        "server": "gpu",
        "url": gpu.url,
        "current": True,
    }
    progress = [one for one in events if one["event"] == "progress"]
    assert progress[-1]["completed"] == progress[-1]["total"] == 100_000_000
    assert [one["completed"] for one in progress] == sorted(one["completed"] for one in progress)
    assert [one["event"] for one in events if one["event"] != "progress"] == ["pulling", "loading", "done"]
    assert events[-1]["pulled"] is True


ERRORS = [
    pytest.param("denied", "no_such_model", "the registry has no such model", id="no such model"),
    pytest.param("full", "no_space", "its disk is full", id="no space"),
    pytest.param("offline", "network", "it cannot fetch from the registry now", id="no network"),
    pytest.param("plain", "insecure", "add --insecure", id="plain http"),
    pytest.param("newer", "too_old", "update it", id="an old Ollama, by the status"),
    pytest.param("esc", "other", "bad [2Jthing", id="control characters"),
    pytest.param("page", "not_ollama", "status 502", id="a page"),
    pytest.param("speaks", "not_ollama", "no line of a pull: b'<html>'", id="a page in the stream"),
    pytest.param("floods", "not_ollama", "no line of a pull", id="a flood without lines"),
    pytest.param("stalls", "stalled", "nothing came for 0 s (pulling a)", id="lines that say nothing new"),
    pytest.param("silent", "stalled", "nothing came", id="no line any more"),
    pytest.param("halfway", "ended", "the same command goes on from there", id="an early end"),
]


@pytest.mark.parametrize(("model", "code", "text"), ERRORS)
def test_how_a_pull_fails(
    run: Command, gpu: Server, monkeypatch: pytest.MonkeyPatch, model: str, code: str, text: str
) -> None:
    monkeypatch.setattr(pulling, "PULL_QUIET", 0.4)
    ended, out, err = run("ensure", model, "--json")
    last = objects(out)[-1]
    assert (ended, last["event"], last["code"]) == (1, "error", code)
    assert text.lower() in last["text"].lower()
    assert err == f"ollama-locate: {last['text']}\n"
    assert [path for path, _ in gpu.asked()] == ["/api/pull"]


@pytest.mark.parametrize(
    ("model", "code", "text"),
    [
        pytest.param("heavy", "other", "gpu: it failed (model requires more system memory)", id="an error"),
        pytest.param("hangs", "stalled", "it was not loaded within 0.3 s", id="no answer"),
    ],
)
def test_how_a_load_fails(
    run: Command, gpu: Server, monkeypatch: pytest.MonkeyPatch, model: str, code: str, text: str
) -> None:
    monkeypatch.setattr(pull.load, "__defaults__", (0.3,))
    ended, out, _ = run("ensure", model, "--json")
    assert (ended, objects(out)[-1]["code"]) == (1, code)
    assert text in objects(out)[-1]["text"]
    assert not gpu.asked("/api/pull")


def test_a_load_that_is_answered_by_a_page(run: Command, start: Start, publish: Callable[..., None]) -> None:
    publish(gpu=start("page:latest"))
    code, _, err = run("ensure", "page")
    assert code == 1
    assert "gpu: what it says is not Ollama's (status 502)" in err


def test_who_lists_it_and_has_it_not_is_told_so_and_it_is_pulled(run: Command, gpu: Server) -> None:
    code, out, err = run("ensure", "lies")
    assert (code, out) == (1, "")
    assert "gpu lists lies:latest, and says that it is not there\npulling lies:latest to gpu\n" in err
    assert "it says that the model is not there (model 'lies:latest' not found)" in err.splitlines()[-1]
    assert [path for path, _ in gpu.asked()] == ["/api/generate", "/api/pull", "/api/generate"]


def test_programs_are_told_so_too(run: Command, gpu: Server) -> None:
    _, out, _ = run("ensure", "lies", "--json")
    assert {"schema": 1, "event": "remark", "text": "gpu lists lies:latest, and says that it is not there"} in objects(
        out
    )
    assert gpu.asked("/api/pull")


def test_a_word_that_means_two_servers(run: Command, start: Start, publish: Callable[..., None]) -> None:
    publish(gpu=start(), nas=start())
    code, out, err = run("ensure", "absent", "--on", "127.0.0.1")
    assert (code, out) == (1, "")
    assert "`127.0.0.1` could be http://127.0.0.1:" in err


def test_what_a_line_says_of_a_pull() -> None:
    meter = pulling.Meter(0.0)
    for second in range(11):
        done = second * 100_000_000
        meter.feed(b'{"status":"p","digest":"a","total":4000000000,"completed":%d}' % done, float(second))
    assert pulled.described(meter, 10.0) == "1.0/4.0 GB, 100.0 MB/s, 30 s left"


def test_the_next_that_has_it_is_asked_where_one_cannot_load_it(
    run: Command, start: Start, publish: Callable[..., None]
) -> None:
    gone, other = start("mistral:latest"), start("mistral:latest")
    publish(gone=gone, other=other)
    gone.end()
    code, out, err = run("ensure", "mistral")
    assert (code, out) == (0, f"{other.url}\n")
    assert err.endswith(
        "other is not the current endpoint; `ollama-locate url --model mistral:latest` prefers gone now\n"
    )


def test_nobody_has_it_after_all_and_one_could_not_be_asked(
    run: Command, start: Start, publish: Callable[..., None]
) -> None:
    gone = start("mistral:latest")
    publish(gone=gone)
    gone.end()
    code, out, err = run("ensure", "mistral")
    assert (code, out) == (1, "")
    assert "gone: it cannot be reached" in err


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        pytest.param((), 1, "nobody is there to ask; say it with the command: --yes", id="nobody to ask"),
        pytest.param(("--yes",), 0, "", id="yes"),
        pytest.param(("--on", "nas"), 0, "", id="the person has named it"),
    ],
)
def test_to_another_than_the_current_one_it_is_asked(
    run: Command, start: Start, publish: Callable[..., None], words: tuple[str, ...], code: int, err: str
) -> None:
    gpu, nas = start(), start()
    publish('[models]\nno_pull = ["gpu"]', gpu=gpu, nas=nas, lists={"gpu": ("x:1",), "nas": ("x:1",)})
    ended, out, said = run("ensure", "absent", *words)
    assert ended == code
    assert out == ("" if code else f"{nas.url}\n")
    assert said.startswith("pulling absent:latest to nas, which is not the current endpoint\n")
    assert err in said
    assert ("`ollama-locate url --model absent:latest` finds it again" in said) is not bool(code)
    assert not gpu.asked()


def test_nothing_is_pulled_where_the_config_forbids_it_not_even_by_name(
    run: Command, start: Start, publish: Callable[..., None]
) -> None:
    gpu = start("mistral:latest")
    publish('[models]\nno_pull = ["*"]', gpu=gpu)
    for words, who in (((), "no server that answers has"), (("--on", "gpu"), "gpu does not have")):
        code, out, err = run("ensure", "absent", "--yes", *words)
        assert (code, out) == (1, "")
        assert f"{who} absent:latest, and by [models] no_pull of the config nothing is pulled there" in err
    assert not gpu.asked()
    assert run("ensure", "mistral")[0] == 0


def test_a_tag_of_the_config_is_asked_of_tailscale(
    run: Command, start: Start, publish: Callable[..., None], tmp_path: Path
) -> None:
    gpu = start()
    marked = node("small", 2, Tags=["tag:small"], TailscaleIPs=["127.0.0.1"])
    cli = replaying(tmp_path / "tailscale", [marked])
    publish(f'tailscale = "{cli}"\n[models]\nno_pull = ["tag:small"]', gpu=gpu)
    assert run("ensure", "absent")[0] == 1
    replaying(tmp_path / "tailscale", [marked | {"Tags": []}])
    assert run("ensure", "absent")[0] == 0


def test_on_a_server_that_nobody_knows_or_that_does_not_answer(run: Command) -> None:
    code, _, err = run("ensure", "mistral", "--on", "nobody")
    assert code == 1
    assert "nobody is called `nobody`" in err
    code, _, err = run("ensure", "mistral", "--on", "pi")
    assert code == 4
    assert "pi does not answer now: " in err


def test_a_model_that_would_leave_the_tailnet_is_refused(run: Command, gpu: Server) -> None:
    code, out, err = run("ensure", "gpt-oss:120b-cloud", "--yes")
    assert (code, out) == (1, "")
    assert "runs at ollama.com: what you say to it would leave your tailnet" in err
    assert not gpu.asked()


def test_the_config_may_allow_it_and_there_is_still_nothing_to_pull(
    run: Command, gpu: Server, publish: Callable[..., None]
) -> None:
    publish("[models]\ncloud = true", gpu=gpu, lists={"gpu": ("big:cloud",)})
    for model, there in (("big:cloud", "`ollama-locate --model big:cloud` gives"), ("z:cloud", "no server that ans")):
        code, out, err = run("ensure", model)
        assert (code, out) == (1, "")
        assert "The config allows that, but there is nothing to load or to pull: " + there in err
    assert not gpu.asked()


# --- who has it is asleep


@pytest.mark.parametrize(
    ("words", "code", "asked"),
    [
        pytest.param((), 1, [], id="nobody to ask"),
        pytest.param(("--yes",), 0, ["/api/pull", "/api/generate"], id="yes"),
        pytest.param(("--on", "gpu"), 0, ["/api/pull", "/api/generate"], id="the person has named it"),
    ],
)
def test_where_who_has_it_is_silent_it_is_asked_before_it_is_pulled_to_another(
    run: Command, gpu: Server, words: tuple[str, ...], code: int, asked: list[str]
) -> None:
    run.publish(asleep(run.seen(), "absent:latest"))
    ended, out, err = run("ensure", "absent", *words)
    assert (ended, out) == (code, f"{gpu.url}\n" if code == 0 else "")
    assert err.startswith("big-box has it, and does not answer (for 11 s)\npulling absent:latest to gpu\n")
    assert ("nobody is there to ask" in err) is (code == 1)
    assert [path for path, _ in gpu.asked()] == asked


def test_programs_are_told_who_is_silent(run: Command, gpu: Server) -> None:
    run.publish(asleep(run.seen(), "absent:latest"))
    code, out, _ = run("ensure", "absent", "--json")
    first, *_, last = objects(out)
    assert (code, first["event"], last["code"]) == (1, "remark", "failed")
    assert first["text"] == "big-box has it, and does not answer (for 11 s)"
    assert not gpu.asked()


# --- at its end


def test_it_ends_when_the_daemon_has_published_what_it_loaded(run: Command, gpu: Server) -> None:
    before = run.seen()
    run.publish(before)  # the folder
    (server, *others) = before.servers
    lists = replace(server, models=(*(server.models or ()), "absent:latest"))
    after = replace(before, servers=(lists, *others), best=before.best | {"absent:latest": server.key})
    ends: list[float] = []
    with daemon(run):

        def tell() -> None:
            while not gpu.asked("/api/generate"):
                time.sleep(0.01)
            time.sleep(0.3)  # the wait is what is tested: the command must not end before what follows
            ends.append(time.monotonic())
            run.publish(after)

        telling = threading.Thread(target=tell)
        telling.start()
        assert run("ensure", "absent")[0] == 0
        assert time.monotonic() >= ends[0]
        telling.join()
        assert run("--model", "absent") == (0, f"{gpu.url}\n", "")


def test_the_daemon_hears_of_a_model_that_is_not_there(run: Command, gpu: Server, tmp_path: Path) -> None:
    with daemon(run):
        assert run("ensure", "lies")[0] == 1
        folder = StateFolder(tmp_path / "state")
        assert receive(folder)[0] == {Request("refresh")}
        folder.close()
    assert gpu.asked("/api/pull")


def test_without_an_answer_of_the_daemon_it_ends_all_the_same(
    run: Command, gpu: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ensuring, "ENSURE_SEEN", 0.1)
    with daemon(run):
        assert run("ensure", "absent")[:2] == (0, f"{gpu.url}\n")


def test_who_is_preferred_for_it_is_said_where_that_is_another(
    run: Command, start: Start, publish: Callable[..., None]
) -> None:
    gpu, nas = start("mistral:latest"), start("mistral:latest")
    publish(gpu=gpu, nas=nas)
    said = "nas is not the current endpoint; `ollama-locate url --model mistral:latest` prefers gpu now\n"
    assert said in run("ensure", "mistral", "--on", "nas")[2]


def test_no_server_answers(run: Command) -> None:
    run.publish(snapshot({}, raw=raw()))
    code, out, err = run("ensure", "mistral", "--json")
    assert (code, objects(out)[-1]["code"]) == (4, "no_server")
    assert "no server answers now" in err


@pytest.mark.parametrize(
    "name",
    ["", "a\nb", "a\x1b[2J", "../etc", "a/../b", "/a", "a/", "a//b", "a:", ":a", "a b", "x" * 4096, "$(reboot)", "-a"],
)
def test_what_is_no_model_is_a_wrong_command_line(run: Command, gpu: Server, name: str) -> None:
    code, out, err = run("ensure", "--", name)
    assert (code, out) == (2, "")
    assert "this is no model's name" in err
    assert "\x1b" not in err
    assert not gpu.asked()


def process(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, "ensure", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.usefixtures("gpu")
def test_ctrl_c_leaves_what_has_come_and_the_same_command_goes_on() -> None:
    first = process("slow", "--json")
    assert first.stdout
    for line in first.stdout:
        if json.loads(line).get("completed", 0) >= 10_000_000:
            break
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=10)
    assert first.returncode == 130
    assert objects(out)[-1]["code"] == "interrupted"
    assert err == "ollama-locate: stopped; what has come is kept by Ollama, the same command goes on from there\n"
    out, _ = process("slow", "--json").communicate(timeout=20)
    come = next(one for one in objects(out) if one.get("total"))
    assert come["completed"] >= 5_000_000
    assert objects(out)[-1]["event"] == "done"


def test_two_at_once_both_end_well(gpu: Server) -> None:
    both = [process("twice") for _ in range(2)]
    for one in both:
        out, err = one.communicate(timeout=20)
        assert (one.returncode, out) == (0, f"{gpu.url}\n"), err


@pytest.mark.parametrize(
    ("answer", "code"),
    [("y\n", 0), ("yes", 0), ("n\n", 1), ("", 1), ("yesterday\n", 1)],
)
@pytest.mark.parametrize("words", [(), ("--on", "gpu")])
def test_a_program_is_asked_before_each_pull(gpu: Server, words: tuple[str, ...], answer: str, code: int) -> None:
    """Even to the current endpoint, and to the server that it names."""
    model = f"asked:{code}{len(answer)}{len(words)}"
    done = subprocess.run(
        [*PROGRAM, "ensure", model, "--json", "--ask", *words],
        input=answer,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    events = objects(done.stdout)
    assert (done.returncode, events[0]["event"], events[0]["url"]) == (code, "pulling", gpu.url)
    assert (events[-1]["event"], events[-1].get("code")) == (("error", "declined") if code else ("done", None))
    assert "[y/N]" not in done.stderr
    assert bool(gpu.asked("/api/pull")) is not bool(code)


def test_what_is_there_is_loaded_without_a_question(run: Command, gpu: Server) -> None:
    assert run("ensure", "mistral", "--ask")[:2] == (0, f"{gpu.url}\n")
    assert run("ensure", "mistral", "--ask", "--yes")[0] == 2


def on_terminal(*words: str, answer: bytes = b"") -> tuple[int, str]:
    """The exit code, and what a terminal got to show; stdout is a pipe, as in `$(…)`."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | {"TERM": "xterm-256color"}
    running = subprocess.Popen(
        [*PROGRAM, "ensure", *words], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment
    )
    os.close(theirs)
    os.write(ours, answer)
    shown, ends = b"", time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    out, _ = running.communicate(timeout=10)
    return running.returncode, shown.decode() + out.decode()


def test_on_a_terminal_there_is_a_bar_and_the_cursor_comes_back(gpu: Server) -> None:
    code, shown = on_terminal("drawn")
    assert code == 0
    assert shown.endswith(f"{gpu.url}\n")
    assert re.search(r"\d+% \d+\.0/(50|100)\.0 MB", shown)
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"\n", 1)])
def test_on_a_terminal_it_is_asked(
    run: Command, start: Start, publish: Callable[..., None], answer: bytes, code: int
) -> None:
    del run
    gpu, nas = start(), start()
    publish('[models]\nno_pull = ["gpu"]', gpu=gpu, nas=nas, lists={"gpu": ("x:1",), "nas": ("x:1",)})
    ended, shown = on_terminal("absent", answer=answer)
    assert ended == code
    assert "Pull it there? [y/N] " in shown
    assert bool(nas.asked("/api/pull")) is not bool(code)


def test_on_a_terminal_a_pull_to_the_current_one_is_asked_too(gpu: Server) -> None:
    code, shown = on_terminal("careful", "--ask", answer=b"n\n")
    assert (code, "Pull it there? [y/N] " in shown) == (1, True)
    assert not gpu.asked("/api/pull")
