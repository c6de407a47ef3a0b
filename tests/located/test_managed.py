"""What a service manager is told: the real daemon, and a socket that hears it."""

import contextlib
import signal
import socket

import pytest

from tests.located.harness import Lab, until


def test_a_service_manager_is_told_what_happens(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.machine("gpu", 2)
    told: list[str] = []
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(lab.folder / "notify"))
        manager.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(lab.folder / "notify"))

        def hears(word: str) -> bool:
            with contextlib.suppress(BlockingIOError):
                while True:
                    told.append(manager.recv(1000).decode().partition("\n")[0])
            return word in told

        daemon = lab.start()
        until(lambda: hears("READY=1"), "ready")
        assert (lab.state / "endpoint").read_text() == "http://100.64.0.2:11434\n"
        assert any(one.startswith("STATUS=gpu ") and one.endswith(" ms, 1 server") for one in told)
        told.clear()
        daemon.send_signal(signal.SIGHUP)
        until(lambda: hears("READY=1"), "ready again")
        assert told.index("RELOADING=1") < told.index("READY=1")
        lab.stop()
        assert hears("STOPPING=1")


def test_without_tailscale_and_any_server_it_is_ready_as_well(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.command.unlink()
    lab.configure('local = "off"\n')
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(lab.folder / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(lab.folder / "notify"))
        lab.start()
        assert manager.recv(1000).startswith(b"STATUS=no server has been found")
        assert manager.recv(1000) == b"READY=1"
