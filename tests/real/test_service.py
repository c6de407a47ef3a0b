"""The service on a real systemd that is PID 1 of a machine of its own: installed, booted, stalled, broken, removed."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.real import box
from tests.real.namespaces import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.box import Box

pytestmark = pytest.mark.real

STATE = "/var/lib/ollama-locate"
DROP_IN = "/etc/systemd/system/ollama-located.service.d/test.conf"
CONFIG = "/etc/ollama-locate/config.toml"
EXPOSURE = 1.5


@pytest.fixture
def machine(tmp_path: Path) -> Box:
    """A machine that is not booted yet."""
    if lack := box.lacking():
        pytest.skip(f"this needs {lack}")
    return box.Box(tmp_path)


@pytest.fixture
def on(machine: Box) -> Iterator[Box]:
    """One that is, with an Ollama."""
    with machine.on():
        serve(machine)
        yield machine


def serve(machine: Box) -> None:
    """An Ollama stand-in on the port where this machine's own is looked for."""
    machine.path("/opt/standins").mkdir(exist_ok=True)
    stand_in = (box.ROOT / "tests/standins/ollama.py").read_text()
    machine.path("/opt/standins/ollama.py").write_text(stand_in)
    words = ["/opt/python/bin/python3", "/opt/standins/ollama.py", "11434", "mistral:latest"]
    machine.run("systemd-run", "--quiet", "--unit=ollama", "--setenv=LD_LIBRARY_PATH=/opt/python/lib", *words)


def install(machine: Box, *more: str) -> str:
    return machine.run("ollama-locate", "service", "install", "--system", *more).stdout


def listing(machine: Box) -> set[str]:
    """Everything on its disk but what systemd itself keeps."""
    out = machine.run("find", "/etc", "/home", "/var/lib", "-xdev", "!", "-path", "/var/lib/systemd*").stdout
    return set(out.splitlines())


def drop_in(machine: Box, text: str) -> None:
    file = machine.path(DROP_IN)
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"[Service]\n{text}\n")
    machine.run("systemctl", "daemon-reload")


def active(machine: Box) -> bool:
    return machine.show("ActiveState")["ActiveState"] == "active"


def test_install_starts_it_and_waits_for_the_first_round(on: Box) -> None:
    said = install(on)

    assert "/etc/systemd/system/ollama-located.service: written" in said
    assert "endpoint: http://localhost:11434 (this machine)" in said
    assert on.show("Type", "UnitFileState") == {"Type": "notify", "UnitFileState": "enabled"}
    until(lambda: re.fullmatch(r"this machine .*1 server", on.show("StatusText")["StatusText"]), 10, "its status")
    assert "is as it was" in install(on), "twice is once"
    assert on.run("ollama-locate", "service", "status", "--system").returncode == 0


def test_the_unit_is_sound_and_little_exposed(on: Box) -> None:
    install(on)
    verified = on.run("systemd-analyze", "verify", "/etc/systemd/system/ollama-located.service")
    assert verified.stderr == ""
    said = on.run("systemd-analyze", "security", "--no-pager", "ollama-located").stdout
    found = re.search(r"Overall exposure level for ollama-located.service: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= EXPOSURE, said


def test_who_is_in_the_group_reads_it_and_others_do_not(on: Box) -> None:
    install(on)
    assert on.run("ollama-locate", "status", user=True).stdout.count("http://localhost:11434") == 2
    assert "no daemon runs" in on.run("ollama-locate", "status", user=True).stderr, "another user looks for itself"
    on.run("usermod", "-aG", "ollama-locate", box.USER)
    for words in ([], ["status"], ["why"], ["history"]):
        done = on.run("ollama-locate", *words, user=True)
        assert done.stderr == "", words
    assert "heard " in on.run("ollama-locate", "status", user=True).stdout


def test_it_is_there_again_after_a_boot(machine: Box) -> None:
    with machine.on():
        install(machine)
    machine.path(f"{STATE}/state.json").unlink()
    with machine.on():
        until(lambda: active(machine), 15, "it was started by the boot")
        assert machine.path(f"{STATE}/state.json").exists()


def test_a_reload_reads_the_config(on: Box) -> None:
    install(on)
    on.path(CONFIG).parent.mkdir()
    on.path(CONFIG).write_text('[variables]\nOLLAMA_HOST = "{url}"\n')
    on.run("systemctl", "reload", "ollama-located")
    until(lambda: "OLLAMA_HOST=http" in on.path(f"{STATE}/env").read_text(), 10, "the variable is written")
    assert active(on)


def test_one_that_stands_still_is_killed_and_started_again(on: Box) -> None:
    install(on)
    # The machine sees this file only: the program is the real one, which stands still when it is told to.
    drop_in(on, "WatchdogSec=2\nRestartSec=1\nExecStart=\nExecStart=/opt/ollama-locate/bin/stalling")
    on.run("systemctl", "restart", "ollama-located")
    time.sleep(3)  # longer than the watchdog waits: it is fed
    assert on.show("NRestarts")["NRestarts"] == "0"
    before = on.show("MainPID")["MainPID"]
    on.run("systemctl", "kill", "--kill-whom=main", "--signal=SIGUSR2", "ollama-located")
    until(lambda: on.show("NRestarts")["NRestarts"] == "1" and active(on), 20, "it was started again")
    assert on.show("MainPID")["MainPID"] != before
    log = on.run("journalctl", "--no-pager", "--unit=ollama-located").stdout
    assert "Watchdog timeout" in log
    assert "Fatal Python error: Aborted" in log, "and the log says where it stood"


def test_a_broken_config_is_tried_again_for_ever_and_mended_by_mending_it(on: Box) -> None:
    install(on)
    drop_in(on, "RestartSec=100ms")
    on.path(CONFIG).parent.mkdir()
    on.path(CONFIG).write_text("interval = 3\n")
    on.run("systemctl", "restart", "ollama-located", check=False)
    # More often than systemd's own limit of 5 starts, which would be the end.
    until(lambda: int(on.show("NRestarts")["NRestarts"]) > 7, 30, "it was started again and again")
    failed = on.run("ollama-locate", "service", "install", "--system", check=False)
    assert failed.returncode == 1
    assert f"{CONFIG}:1: interval" in failed.stderr, "its last words say what is wrong"
    on.path(CONFIG).write_text('interval = "30s"\n')
    until(lambda: active(on), 20, "it runs")


def test_nothing_is_left_but_the_config(on: Box) -> None:
    before = listing(on)
    install(on)
    on.path(CONFIG).parent.mkdir()
    on.path(CONFIG).write_text('interval = "30s"\n')
    said = on.run("ollama-locate", "service", "uninstall", "--system").stdout
    assert f"stays: {CONFIG}" in said
    kept = {"/etc/ollama-locate", CONFIG}
    # useradd's own backups of the files of users and groups
    backups = {f"/etc/{name}-" for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")}
    assert listing(on) - before - backups == kept
    assert on.show("LoadState")["LoadState"] == "not-found"
    assert "ollama-locate" not in on.path("/etc/passwd").read_text()
    assert on.run("ollama-locate", "service", "uninstall", "--system").stdout.startswith("there was nothing to remove")


def test_a_user_without_a_session_is_told_how_to_have_one(on: Box) -> None:
    done = on.run("ollama-locate", "service", "install", user=True, check=False)
    assert done.returncode == 1
    assert "systemd (user) cannot be reached" in done.stderr
    assert f"loginctl enable-linger {box.USER}" in done.stderr


def test_a_users_own_service(on: Box) -> None:
    session = on.log_in()
    before = listing(on)
    said = on.run("ollama-locate", "service", "install", user=True, env=session).stdout
    unit = f"/home/{box.USER}/.config/systemd/user/ollama-located.service"
    assert f"{unit}: written" in said
    assert on.run("systemd-analyze", "--user", "verify", unit, user=True, env=session).stderr == ""
    assert on.run("ollama-locate", user=True).stdout == "http://localhost:11434\n"
    # XDG_RUNTIME_DIR is not set after su: the manager is found all the same.
    assert "systemd (user)" in on.run("ollama-locate", "service", "status", user=True).stdout
    on.run("ollama-locate", "service", "restart", user=True, env=session)
    assert on.run("ollama-locate", "service", "uninstall", user=True, env=session).returncode == 0
    left = listing(on) - before
    assert not {one for one in left if "ollama" in one}, left


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param("echo '[Service]' > {unit}", "was not written by `service install`", id="a foreign unit"),
        pytest.param("ln -s /dev/null {unit}", "is masked", id="a masked one"),
        pytest.param(
            "mkdir -p /etc/systemd/system.control; cp /lib/systemd/system/systemd-logind.service "
            "/etc/systemd/system.control/ollama-located.service",
            "has a unit of this name already",
            id="one at another place",
        ),
        pytest.param("install -d /home/x/bin; cp /opt/ollama-locate/bin/* /home/x/bin", "home folder", id="in a home"),
    ],
)
def test_what_is_in_the_way_is_named_and_left_alone(on: Box, spoil: str, sentence: str) -> None:
    on.run("bash", "-c", spoil.format(unit="/etc/systemd/system/ollama-located.service"))
    on.run("systemctl", "daemon-reload")
    before = on.run("bash", "-c", "cat /etc/systemd/system/*.service", check=False).stdout
    path = "/home/x/bin:/usr/sbin:/usr/bin" if "home" in sentence else "/opt/ollama-locate/bin:/usr/sbin:/usr/bin"
    done = on.run("ollama-locate", "service", "install", "--system", check=False, env={"PATH": path})
    assert done.returncode == 1
    assert sentence in done.stderr
    assert on.run("bash", "-c", "cat /etc/systemd/system/*.service", check=False).stdout == before


def endpoint_in_a_terminal(machine: Box) -> str:
    words = ("bash", "-ic", "echo $OLLAMA_ENDPOINT")
    return machine.run(*words, user=True, env={"SHELL": "/bin/bash"}).stdout.strip()


def test_a_fresh_account_is_set_up_booted_and_left_without_a_trace(machine: Box) -> None:
    url, shell = "http://localhost:11434", {"SHELL": "/bin/bash"}
    with machine.on():
        serve(machine)
        session = machine.log_in()
        before = listing(machine)
        said = machine.run("ollama-locate", "setup", "--yes", user=True, env=session | shell).stdout
        assert "ollama-located.service: written" in said
        assert f"endpoint: {url} (this machine)" in said
        assert endpoint_in_a_terminal(machine) == url
    with machine.on():
        serve(machine)
        session = machine.log_in()
        unit = ("systemctl", "--user", "is-active", "ollama-located")
        until(lambda: machine.run(*unit, user=True, env=session, check=False).returncode == 0, 15, "it runs")
        assert endpoint_in_a_terminal(machine) == url
        machine.run("ollama-locate", "setup", "--undo", "--yes", user=True, env=session | shell)
        assert endpoint_in_a_terminal(machine) == ""
        left = {one for one in listing(machine) - before if not one.startswith(f"/home/{box.USER}/.config/systemd")}
        assert not {one for one in left if "ollama" in one}, left


def test_a_foreign_unit_is_not_started_again(on: Box) -> None:
    on.run(
        "bash", "-c", "printf '[Service]\\nExecStart=/bin/sleep 1000\\n' > /etc/systemd/system/ollama-located.service"
    )
    on.run("systemctl", "daemon-reload")
    done = on.run("ollama-locate", "service", "restart", "--system", check=False)
    assert done.returncode == 1
    assert "was not written by `service install`" in done.stderr
    assert not active(on)


def test_members_of_the_group_are_told_whose_it_is(on: Box) -> None:
    install(on)
    on.run("usermod", "-aG", "ollama-locate", box.USER)
    for words in (("pin", "local"), ("refresh",)):
        done = on.run("ollama-locate", *words, user=True, check=False)
        assert done.returncode == 1, words
        assert "system service's" in done.stderr
    on.path(CONFIG).parent.mkdir()
    on.path(CONFIG).write_text("interval = 3\n")
    assert f"{CONFIG}:1: interval" in on.run("ollama-locate", "config", user=True, check=False).stderr
    assert "config_broken" in on.run("ollama-locate", "doctor", user=True, check=False).stdout
    on.run("ollama-locate", "service", "uninstall", "--system")
    assert "ollama-locate" not in on.path("/etc/group").read_text()
