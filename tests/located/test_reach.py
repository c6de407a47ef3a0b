"""What reaches the servers through the daemon: a pin, programs that are run, the stable address."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.located.harness import ROOT, Lab, until
from tests.snapshots import GPU, NAS


def two(lab: Lab) -> None:
    lab.machine("gpu", 2, 0.01, "mistral:latest")
    lab.machine("nas", 3, 0.05, "mistral:latest", "only-nas:1b")


# --- pin


def test_a_pin_is_followed_survives_a_restart_and_is_taken_back(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    done = lab.ask("pin", "nas")
    assert (done.returncode, done.stdout, done.stderr) == (0, NAS + "\n", "nas is pinned\n")
    assert "pinned\tnas (http://100.64.0.3:11434)" in lab.ask("status").stdout
    assert "it is pinned" in lab.ask("why").stdout
    lab.stop()
    again = lab.start()
    until(lambda: lab.snapshot().get("pid") == again.pid, "it is published by the new one")
    lab.until_decided("nas")
    assert lab.ask("pin").stdout == "nas (http://100.64.0.3:11434) is pinned\n"
    assert lab.ask("unpin").stdout == GPU + "\n"
    assert lab.ask("unpin").stderr == "ollama-locate: nothing is pinned\n"
    assert "gpu is pinned no longer" not in lab.log
    assert "nas is pinned no longer" in lab.log


def test_a_pin_for_a_time_ends_by_itself(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    assert lab.ask("pin", "100.64.0.3", "--for", "1s").stderr.startswith("nas is pinned for ")
    lab.until_decided("gpu")


def test_a_dead_pin_warns_and_stays(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.ask("pin", "nas")
    lab.kill("nas")
    lab.until_decided("nas", "stale")
    assert "it is pinned, and does not answer" in lab.ask("why").stdout
    assert "ollama-locate unpin" in lab.ask("why").stdout


def test_a_url_that_is_no_servers_can_be_pinned(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.machine("elsewhere", 9, 0.02, UserID=2)
    assert lab.ask("pin", "http://100.64.0.9:11434").stdout == "http://100.64.0.9:11434\n"
    lab.until_decided("pinned")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bob"], "bob is left alone: it belongs to another user"),
        (["nobody"], "nobody is called `nobody`; there are: bob, gpu, nas"),
        (["http://a$(id):1"], "has a host that cannot be used"),
        (["gpu", "--for", "2"], "--for must be a duration with a unit"),
        (["--for", "2h"], "say which server"),
    ],
)
def test_what_cannot_be_pinned(lab: Lab, words: list[str], sentence: str) -> None:
    two(lab)
    lab.machine("bob", 6, 0.01, UserID=2)
    done = lab.ask("pin", *words)
    assert done.returncode == 1
    assert sentence in done.stderr


def test_a_pin_without_a_daemon_is_used_by_who_looks_for_himself(lab: Lab) -> None:
    lab.state.mkdir(mode=0o700)
    done = lab.ask("pin", "http://100.64.0.3:11434")
    assert "the files change when one is started" in done.stderr
    two(lab)
    lab.start()
    lab.until_decided("pinned")


def test_a_damaged_pin_is_said_once_and_is_none(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    (lab.state / "pin.json").write_text("garbage")
    for _ in range(2):
        lab.ask("refresh")
    assert lab.log.count("pin.json: it cannot be read") == 1
    assert "pin.json: it cannot be read" in lab.ask("status").stdout
    assert lab.ask("unpin").stdout == GPU + "\n"


# --- exec

SHOW = [sys.executable, "-c", "import os; print(os.getpid(), os.environ.get('OLLAMA_ENDPOINT', 'none'))"]


def test_a_program_takes_the_commands_place(lab: Lab) -> None:
    """The same pid, and its own exit code and signals."""
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    code = "import sys; from ollama_locate.main import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "exec", "--", *SHOW], env=lab.env, stdout=subprocess.PIPE, text=True
    )
    assert process.communicate()[0] == f"{process.pid} {GPU}\n"
    assert lab.ask("exec", "--", "sh", "-c", "exit 42").returncode == 42
    assert lab.ask("exec", "--", "sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM
    assert lab.ask("exec", "--", "no-such-program").returncode == 127
    assert lab.ask("exec", "--", str(ROOT)).returncode in (126, 127)
    assert lab.ask("exec").returncode == 1


def test_the_variables_of_a_program(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    two(lab)
    lab.configure('[variables]\nOLLAMA_HOST = "{host}:{port}"\n')
    lab.start()
    lab.until_decided("gpu")
    words = ["sh", "-c", "echo $OLLAMA_ENDPOINT $OLLAMA_HOST $OLLAMA_LOCATE_APPLIED"]
    marker = f"OLLAMA_ENDPOINT={GPU},OLLAMA_HOST=100.64.0.2:11434"
    assert lab.ask("exec", "--", *words).stdout == f"{GPU} 100.64.0.2:11434 {marker}\n"
    assert lab.ask("exec", "--model", "only-nas:1b", "--", *words).stdout.startswith(f"{NAS} 100.64.0.3:11434 ")
    monkeypatch.setenv("OLLAMA_ENDPOINT", "http://10.0.0.1:1")
    done = lab.ask("exec", "--require", "--", *words)
    assert done.stdout.startswith("http://10.0.0.1:1 100.64.0.2:11434 OLLAMA_HOST=")
    assert "OLLAMA_ENDPOINT was set by hand, to http://10.0.0.1:1; that wins" in done.stderr
    monkeypatch.setenv("OLLAMA_LOCATE_OFF", "1")
    assert lab.ask("exec", "--", *words).stdout == "http://10.0.0.1:1\n"


def test_without_a_server_a_program_runs_only_where_none_is_required(lab: Lab) -> None:
    lab.absent("pi", 4, silent=False)
    lab.start()
    until(lambda: lab.decided() == ("default", "none"), "none found")
    assert lab.ask("exec", "--", "sh", "-c", "echo $OLLAMA_ENDPOINT").stdout == "http://localhost:11434\n"
    assert lab.ask("exec", "--require", "--", "echo", "ran").returncode == 4
    assert lab.ask("exec", "--require", "--model", "x", "--", "echo", "ran").returncode == 4


def test_a_program_waits_for_a_server(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.kill("nas")
    lab.kill("gpu")
    until(lambda: lab.decided()[1] == "stale", "stale")
    assert lab.ask("exec", "--wait", "100ms", "--require", "--", "echo", "ran").returncode == 3
    code = "import sys; from ollama_locate.main import main; sys.exit(main())"
    words = [sys.executable, "-c", code, "exec", "--wait", "20s", "--require", "--", *SHOW]
    process = subprocess.Popen(words, env=lab.env, stdout=subprocess.PIPE, text=True)
    lab.revive("gpu", 2)
    assert process.communicate(timeout=20)[0].split()[1] == GPU


# --- the stable address


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def ask(connection: http.client.HTTPConnection, path: str = "/api/tags") -> str:
    connection.request("GET", path)
    answer = connection.getresponse()
    return f"{answer.status} {answer.read().decode()}"


def test_each_request_goes_to_the_best_of_that_moment(lab: Lab) -> None:
    two(lab)
    port = free_port()
    lab.configure(f'[forward]\nlisten = "127.0.0.1:{port}"\n')
    lab.start()
    lab.until_decided("gpu")
    until(lambda: lab.snapshot().get("forward") == f"http://127.0.0.1:{port}", "it listens")
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    assert "only-nas" not in ask(kept)
    lab.ask("pin", "nas")
    assert "only-nas" in ask(kept)
    lab.ask("unpin")
    lab.kill("gpu")
    began = time.monotonic()
    assert "only-nas" in ask(kept)
    assert time.monotonic() - began < 1.0
    lab.until_decided("nas")
    kept.close()
    assert f"forward\thttp://127.0.0.1:{port}" in lab.ask("status").stdout


def test_it_is_closed_and_opened_by_the_config(lab: Lab) -> None:
    two(lab)
    port = free_port()
    lab.start()
    lab.until_decided("gpu")
    lab.configure(f'[forward]\nlisten = "127.0.0.1:{port}"\n')
    lab.ask("refresh")
    until(lambda: lab.snapshot().get("forward"), "it listens")
    lab.configure("")
    lab.ask("refresh")
    until(lambda: not lab.snapshot().get("forward"), "it listens no more")
    with pytest.raises(ConnectionRefusedError):
        ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5))


def test_an_address_that_is_taken_is_said_and_the_rest_goes_on(lab: Lab) -> None:
    two(lab)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        lab.configure(f'[forward]\nlisten = "127.0.0.1:{port}"\n')
        lab.start()
        lab.until_decided("gpu")
        until(lambda: lab.snapshot().get("problems"), "it is said")
        assert f"the forward cannot listen on 127.0.0.1:{port}: Address already in use" in lab.ask("status").stdout
    lab.daemons[-1].send_signal(signal.SIGHUP)
    until(lambda: lab.snapshot().get("forward"), "it listens as soon as it can")


def test_desktop_programs_are_told_and_untold(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for systemctl notes what it is asked: no systemd runs in a test."""
    tools = lab.folder / "tools"
    tools.mkdir()
    noted = lab.folder / "noted"
    kept = lab.folder / "kept"
    kept.touch()
    (tools / "systemctl").write_text(
        f'#!/bin/sh\necho "$*" >> {noted}\n'
        f'case $2 in show-*) cat {kept} ;; set-*) shift 2; printf "%s\\n" "$@" > {kept} ;; esac\n'
    )
    (tools / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    two(lab)
    port = free_port()
    lab.configure(f'[forward]\nlisten = "127.0.0.1:{port}"\ndesktop = true\n')
    lab.start()
    url = f"http://127.0.0.1:{port}"
    pair = f"OLLAMA_ENDPOINT={url}"
    until(lambda: noted.exists() and "set-environment" in noted.read_text(), "told")
    assert noted.read_text().splitlines() == [
        "--user show-environment",
        f"--user set-environment {pair} OLLAMA_LOCATE_APPLIED={pair}",
    ]
    lab.daemons[-1].kill()
    lab.daemons[-1].wait()
    lab.configure("")
    lab.start()
    until(lambda: "unset-environment" in noted.read_text(), "untold by the next daemon")
    assert noted.read_text().splitlines()[-1] == "--user unset-environment OLLAMA_ENDPOINT OLLAMA_LOCATE_APPLIED"


def test_what_was_set_by_hand_for_desktop_programs_stays(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = lab.folder / "tools"
    tools.mkdir()
    noted = lab.folder / "noted"
    (tools / "systemctl").write_text(
        f'#!/bin/sh\necho "$*" >> {noted}\ncase $2 in show-*) echo OLLAMA_ENDPOINT=http://10.0.0.1:1 ;; esac\n'
    )
    (tools / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    two(lab)
    lab.configure(f'[forward]\nlisten = "127.0.0.1:{free_port()}"\ndesktop = true\n')
    lab.start()
    until(lambda: lab.snapshot().get("problems"), "it is said")
    assert "set by hand there, and left: OLLAMA_ENDPOINT" in lab.ask("status").stdout
    lab.stop()
    assert "set-environment" not in noted.read_text()


def test_the_stable_address_cannot_be_pinned(lab: Lab) -> None:
    two(lab)
    port = free_port()
    lab.configure(f'[forward]\nlisten = "127.0.0.1:{port}"\n')
    lab.start()
    lab.until_decided("gpu")
    done = lab.ask("pin", f"http://localhost:{port}")
    assert (done.returncode, "its own stable address" in done.stderr or "own stable address" in done.stderr) == (
        1,
        True,
    )


def test_the_same_url_pinned_twice_stays_pinned(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.machine("elsewhere", 9, 0.02, UserID=2)
    for words in ([], ["--for", "1h"]):
        done = lab.ask("pin", "http://100.64.0.9:11434", *words)
        assert done.stdout == "http://100.64.0.9:11434\n"
        assert "warning" not in done.stderr
    assert lab.decided() == ("pinned", "fresh")


def test_a_pin_that_cannot_be_read_for_a_moment_is_kept(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.ask("pin", "nas")
    (lab.state / "pin.json").write_text("garbage")
    lab.daemons[-1].send_signal(signal.SIGUSR1)
    until(lambda: "pin.json: it cannot be read" in lab.log, "it is said")
    assert lab.decided() == ("nas", "fresh")
