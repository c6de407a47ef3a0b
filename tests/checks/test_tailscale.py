"""Tailscale here, by commands that behave as it does; what was recorded from a real one is named so."""

import datetime as dt
import json
import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from ollama_locate.checks import tailscale
from ollama_locate.checks.tailscale import Facts, judge
from ollama_locate.core.rule import Severity
from ollama_locate.core.tailnet import Absence, Own, Unavailable, parse_own
from tests.checks.machine import Machine
from tests.core.world import named
from tests.standins.ollama import like_ollama
from tests.standins.tailscale import node

RECORDINGS = Path(__file__).parents[1] / "core/recordings"
NOT_RUNNING = (
    "failed to connect to local tailscaled (which appears to be running as tailscaled, pid 1462). Got error: Failed to "
    "connect to local Tailscale daemon for /localapi/v0/status; not running? Error: dial unix "
    "/var/run/tailscale/tailscaled.sock: connect: no such file or directory"
)
DENIED = "Access denied: status access denied\n\nUse 'sudo tailscale status'."
NOW = dt.datetime(2026, 1, 10, tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize(
    ("body", "code", "mend"),
    [
        pytest.param(
            f'echo "{NOT_RUNNING}" >&2; exit 1', "tailscale_not_running", "tailscaled", id="recorded: not running"
        ),
        pytest.param(
            f"cat {RECORDINGS}/status-stopped.json", "tailscale_stopped", "tailscale up", id="recorded: stopped"
        ),
        pytest.param(
            f"cat {RECORDINGS}/status-needs-login.json",
            "tailscale_needs_login",
            "tailscale login",
            id="recorded: logged out",
        ),
        pytest.param(
            'echo \'{"BackendState":"NeedsMachineAuth"}\'', "tailscale_needs_approval", "", id="waits for an admin"
        ),
        pytest.param('echo \'{"BackendState":"Starting"}\'', "tailscale_starting", "doctor", id="starting"),
        pytest.param(f'echo "{DENIED}" >&2; exit 1', "tailscale_no_permission", "--operator=", id="not for this user"),
        pytest.param("echo 'The Tailscale GUI failed to start'", "tailscale_gui", "EDITOR", id="the macOS app"),
        pytest.param("echo hello", "tailscale_fails", "tailscale status", id="no JSON"),
        pytest.param("exit 3", "tailscale_fails", "tailscale status", id="fails without a word"),
        pytest.param("sleep 60", "tailscale_hangs", "tailscaled", id="hangs"),
        pytest.param("exec /nowhere/tailscale", "tailscale_fails", "tailscale status", id="a broken wrapper"),
    ],
)
def test_what_is_wrong_with_it(here: Machine, body: str, code: str, mend: str) -> None:
    here.says(body)
    (finding,) = tailscale.run(here.case())
    assert (finding.code, mend in finding.mend) == (code, True), finding


@pytest.mark.skipif(sys.platform != "linux", reason="the macOS app has no such socket")
def test_a_command_that_waits_for_a_daemon_that_is_not_there(here: Machine) -> None:
    """It tries again for seconds where it sees another tailscaled; the socket, of which nobody is left, tells."""
    here.says("sleep 60")
    here.socket.close()
    assert here.codes(tailscale.run) == ["tailscale_not_running"]


def test_missing_is_a_problem_unless_something_answers_without_it(here: Machine) -> None:
    here.config["tailscale"] = '"/nowhere/tailscale"'
    assert here.the(tailscale.run, "tailscale_missing").severity is Severity.PROBLEM
    here.far("127.0.0.1", like_ollama("mistral"))
    assert here.the(tailscale.run, "tailscale_missing").severity is Severity.WARNING


def test_all_is_well(here: Machine) -> None:
    assert tailscale.run(here.case()) == []


def test_userspace_networking_here(here: Machine) -> None:
    here.tailnet(node("gpu", 2), TUN=False)
    assert here.codes(tailscale.run) == ["tailscale_userspace"]


@pytest.mark.parametrize(
    ("own", "codes"),
    [
        pytest.param(Own("1.102.5-ERR-BuildInfo"), [], id="recorded: a key that never expires"),
        pytest.param(Own("1.102.5", "2026-06-01T00:00:00Z"), [], id="in half a year"),
        pytest.param(Own("1.102.5", "2026-01-14T00:00:00Z"), ["tailscale_key_expires"], id="in four days"),
        pytest.param(Own("1.102.5", "2026-01-09T00:00:00Z"), ["tailscale_key_expired"], id="yesterday"),
        pytest.param(
            Own("1.102.5", "", expired=True), ["tailscale_key_expired"], id="expired, and the day is not said"
        ),
        pytest.param(Own("1.102.5", "soon"), [], id="no time"),
        pytest.param(Own("1.50.1-t8a9"), ["tailscale_old"], id="older than serve as it is now"),
        pytest.param(Own("1.52.0"), [], id="just new enough"),
        pytest.param(Own(), [], id="it says nothing"),
    ],
)
def test_the_key_and_the_version(own: Own, codes: list[str]) -> None:
    assert [one.code for one in judge(Facts(named("gpu"), own, NOW))] == codes


def test_an_expired_key_explains_that_nobody_is_logged_in(here: Machine) -> None:
    status = {"BackendState": "NeedsLogin", "Version": "1.102.5", "Self": {"KeyExpiry": "2020-01-01T00:00:00Z"}}
    here.says(f"echo '{json.dumps(status)}'")
    assert here.codes(tailscale.run) == ["tailscale_key_expired"]


@pytest.mark.parametrize(
    ("raw", "own"),
    [
        pytest.param((RECORDINGS / "status-stopped.json").read_bytes(), Own("1.102.5-ERR-BuildInfo"), id="recorded"),
        pytest.param(b'{"Self":{"KeyExpiry":null}}', Own(), id="null"),
        pytest.param(
            b'{"Self":{"KeyExpiry":"2026-01-01T00:00:00Z","Expired":true}}',
            Own("", "2026-01-01T00:00:00Z", expired=True),
            id="a key",
        ),
        pytest.param(b'{"Version":3}', Own(), id="a wrong type"),
        pytest.param(b'{"Version":"\\u001b[31m1"}', Own("[31m1"), id="escapes are gone"),
        pytest.param(b"", Own(), id="nothing"),
    ],
)
def test_what_a_status_says_of_this_machine(raw: bytes, own: Own) -> None:
    assert parse_own(raw) == own


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_socket_that_may_not_be_opened(here: Machine) -> None:
    """As another user, on a real socket that only its owner may open."""
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as server:
        folder = Path(name)
        folder.chmod(0o755)
        path = str(folder / "sock")
        server.bind(path)
        server.listen()
        Path(path).chmod(0o600)
        here.config["tailscale_socket"] = f'"{path}"'
        case = here.case()
        assert tailscale.run(case) == []
        os.seteuid(65534)
        try:
            (finding,) = [one for one in tailscale.run(case) if one.code == "socket_no_permission"]
        finally:
            os.seteuid(0)
    assert path in finding.text


def test_a_socket_is_no_matter_where_tailscale_itself_refuses() -> None:
    facts = Facts(Unavailable(Absence.NO_PERMISSION, "Access denied"), Own(), NOW, closed_socket="/s", user="me")
    assert [one.code for one in judge(facts)] == ["tailscale_no_permission", "socket_no_permission"]
