"""What an answer to /api/version says of a server."""

from pathlib import Path

import pytest

from ollama_locate.core.answer import judge_no_http, judge_version
from ollama_locate.core.outcome import Outcome

RECORDED = (Path(__file__).parent / "recordings" / "version.http").read_bytes().partition(b"\r\n\r\n")[2]
NO_FILE = "HTTP {}: name a file of `headers` in its table of the config"
PAGE = "a page for people (HTML): a login, or the path is another one"
ELSEWHERE = "it redirects, as to a login page, and redirects are not followed"
NO_VERSION = "its /api/version is not Ollama's"


@pytest.mark.parametrize(
    ("status", "body", "want"),
    [
        pytest.param(200, RECORDED, (Outcome.ALIVE, "", "0.17.4"), id="what Ollama 0.17.4 said"),
        pytest.param(200, b'{"version":"0.0.0","x":1}', (Outcome.ALIVE, "", "0.0.0"), id="built without a version"),
        pytest.param(200, b'{"version":"1\\n\\u001b2"}', (Outcome.ALIVE, "", "1 2"), id="the version is made safe"),
        pytest.param(200, b'{"version":1}', (Outcome.NOT_OLLAMA, NO_VERSION, ""), id="a version of another kind"),
        pytest.param(200, b"{}", (Outcome.NOT_OLLAMA, NO_VERSION, ""), id="no version"),
        pytest.param(200, b"Ollama is running", (Outcome.NOT_OLLAMA, NO_VERSION, ""), id="no JSON"),
        pytest.param(200, b"", (Outcome.NOT_OLLAMA, NO_VERSION, ""), id="no body"),
        pytest.param(200, b'{"version":"\xff"}', (Outcome.NOT_OLLAMA, NO_VERSION, ""), id="no UTF-8"),
        pytest.param(200, b'{"x":' * 99_999, (Outcome.NOT_OLLAMA, NO_VERSION, ""), id="nested too deep"),
        pytest.param(403, b"", (Outcome.FORBIDDEN_HOST, "", ""), id="a Host that it does not know"),
        pytest.param(404, b"", (Outcome.NOT_OLLAMA, "HTTP 404 to /api/version", ""), id="another web server"),
        pytest.param(101, b"", (Outcome.NOT_OLLAMA, "HTTP 101 to /api/version", ""), id="a status nobody asked for"),
        pytest.param(204, RECORDED, (Outcome.NOT_OLLAMA, "HTTP 204 to /api/version", ""), id="not quite OK"),
        pytest.param(
            302,
            b"",
            (Outcome.NOT_OLLAMA, f"HTTP 302: {ELSEWHERE}", ""),
            id="elsewhere",
        ),
        *(
            pytest.param(
                status, b"", (Outcome.NOT_OLLAMA, f"HTTP {status}: {ELSEWHERE}", ""), id=f"elsewhere: {status}"
            )
            for status in (300, 399)
        ),
        *(
            pytest.param(
                status, b"", (Outcome.NOT_OLLAMA, f"HTTP {status} to /api/version", ""), id=f"nothing: {status}"
            )
            for status in (299, 400, 499)
        ),
        pytest.param(500, b"", (Outcome.ERROR, "HTTP 500", ""), id="in trouble"),
        pytest.param(501, b"", (Outcome.ERROR, "HTTP 501", ""), id="in another trouble"),
        pytest.param(200, b'{"version":"%s"}' % (b"1" * 64), (Outcome.ALIVE, "", "1" * 64), id="a long version"),
        pytest.param(200, b'{"version":"%s"}' % (b"1" * 65), (Outcome.ALIVE, "", "1" * 63 + "…"), id="too long a one"),
        pytest.param(502, b"<html>", (Outcome.GATEWAY, "HTTP 502", ""), id="a proxy before a dead Ollama"),
        pytest.param(503, b"", (Outcome.GATEWAY, "HTTP 503", ""), id="a proxy that knows no Ollama now"),
        pytest.param(504, b"", (Outcome.GATEWAY, "HTTP 504", ""), id="a proxy before an Ollama that hangs"),
        pytest.param(401, b"", (Outcome.LOGIN, NO_FILE.format(401), ""), id="a proxy that wants a login"),
        pytest.param(407, b"", (Outcome.LOGIN, NO_FILE.format(407), ""), id="a proxy on the way that wants one"),
        pytest.param(403, b"<html>No.", (Outcome.LOGIN, NO_FILE.format(403), ""), id="403 with a page: no Ollama's"),
        pytest.param(200, b" \n<!DOCTYPE html>", (Outcome.NOT_OLLAMA, PAGE, ""), id="a page for people"),
    ],
)
def test_only_a_version_makes_an_ollama(status: int, body: bytes, want: tuple[Outcome, str, str]) -> None:
    assert judge_version(status, body) == want


def test_a_token_that_is_refused_is_called_by_its_file() -> None:
    assert judge_version(401, b"", headers="~/h") == (Outcome.LOGIN, "HTTP 401: it refuses the token in ~/h", "")


def test_an_answer_from_a_cache_shows_no_life() -> None:
    assert judge_version(200, RECORDED, age=37) == (Outcome.CACHED, "its answer is 37 s old", "")
    assert judge_version(200, b"<html>", age=37)[0] is Outcome.NOT_OLLAMA


@pytest.mark.parametrize(
    ("first", "says"),
    [
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x46", "it speaks TLS", id="a TLS alert"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2", "not HTTP/1.x", id="an SSH server"),
        pytest.param(b"", "not HTTP/1.x", id="nothing"),
    ],
)
def test_what_is_no_http_is_no_ollama(first: bytes, says: str) -> None:
    outcome, detail = judge_no_http(first)
    assert outcome is Outcome.NOT_OLLAMA
    assert says in detail
