"""The real daemon with a static server behind a real nginx that wants a token, and where that token is not."""

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.edge.test_forward import free_port
from tests.located.harness import Lab, until
from tests.standins.nginx import WORD, Nginx, needs_nginx, nginx

pytestmark = needs_nginx

COMMANDS = (
    ("config",),
    ("config", "--json"),
    ("status", "--json"),
    ("why", "--json"),
    ("why",),
    ("why", "office"),
    ("models", "--json"),
    ("env",),
    ("url",),
    ("history",),
    ("doctor", "office"),
    ("ensure", "mistral", "--on", "office"),
    ("exec", "--", "env"),
)


@pytest.fixture
def office(lab: Lab) -> Iterator[Nginx]:
    """An nginx before an Ollama with one model."""
    with nginx(lab.folder / "nginx", lab.serve("office", "mistral:latest", "only-office:1b")) as proxy:
        lab.proxy(proxy.port)
        yield proxy


def headers(lab: Lab, word: str = WORD) -> Path:
    path = lab.folder / "headers"
    path.write_text(f"Authorization: Bearer {word}\n")
    path.chmod(0o600)
    return path


def configure(lab: Lab, proxy: Nginx, more: str = "", before: str = "") -> None:
    lab.configure(
        f'local = "off"\nprefer = ["office", "*"]\nlog_level = "debug"\n{before}[static.office]\n'
        f'url = "{proxy.url}/ollama"\nca = "{proxy.ca}"\nheaders = "{lab.folder / "headers"}"\n{more}'
    )


def everything_said(lab: Lab) -> str:
    """The log, each file of the state folder, and what each command prints."""
    said = [lab.log]
    said += [path.read_bytes().decode(errors="replace") for path in lab.state.rglob("*") if path.is_file()]
    for words in COMMANDS:
        done = lab.ask(*words)
        said += [done.stdout, done.stderr]
    return "\n".join(said)


def test_the_token_stands_in_no_file_and_no_output(lab: Lab, office: Nginx) -> None:
    headers(lab)
    lab.machine("gpu", 2)
    configure(lab, office)
    lab.start()
    lab.until_decided("gpu")
    until(lambda: lab.standing("office") == "needs_header", "it is asked with its token")
    assert "it needs a header that programs would not send" in lab.ask("why", "office").stdout
    assert "it needs a header that programs would not send" in lab.ask("pin", "office").stderr
    said = everything_said(lab)
    assert f"{office.url}/ollama" in said
    assert WORD not in said
    assert str(office.url) not in (lab.state / "env").read_text() + (lab.state / "models").read_text()


def test_it_is_published_when_its_table_says_so_with_its_path(lab: Lab, office: Nginx) -> None:
    headers(lab)
    lab.machine("gpu", 2)
    configure(lab, office, 'publish = true\n[variables]\nOLLAMA_HOST = "{url}"\nPLACE = "{host}:{port}"\n')
    lab.start()
    lab.until_decided("office")
    url = f"{office.url}/ollama"
    assert (lab.state / "endpoint").read_text() == url + "\n"
    assert lab.ask().stdout == url + "\n"
    assert lab.ask("--model", "only-office:1b").stdout == url + "\n"
    assert f"OLLAMA_HOST={url}\n" in (lab.state / "env").read_text()
    assert "PLACE" not in (lab.state / "env").read_text()
    assert WORD not in everything_said(lab)


def test_one_without_headers_is_a_server_like_any_other(lab: Lab, office: Nginx) -> None:
    lab.configure(
        f'local = "off"\n[static.office]\nurl = "{office.url}/open"\nca = "{office.ca}"\n',
    )
    lab.start()
    lab.until_decided("office")
    done = lab.ask("pin", f"{office.plain}/open/")
    assert (done.returncode, done.stdout) == (0, f"{office.plain}/open\n"), done.stderr


def test_a_dead_ollama_behind_a_living_proxy_is_left(lab: Lab, office: Nginx) -> None:
    headers(lab)
    lab.machine("gpu", 2)
    configure(lab, office, "publish = true\n")
    lab.start()
    lab.until_decided("office")
    lab.kill("office")
    lab.until_decided("gpu")
    until(lambda: lab.standing("office") == "down", "it is down")
    said = lab.ask("why", "office").stdout
    assert "answers through its proxy only: the Ollama behind that is dead" in said
    assert "gateway (HTTP 502)" in said
    assert "dead behind proxy" in lab.ask("status").stdout


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda path: path.chmod(0o644), "holds a secret, and others may read", id="its mode"),
        pytest.param(lambda path: path.unlink(), "No such file or directory", id="it is gone"),
        pytest.param(lambda path: path.write_text("Authorization: Bearer old"), "HTTP 401: it refuses", id="its token"),
    ],
)
def test_a_file_that_is_spoiled_costs_that_server_and_not_the_daemon(
    lab: Lab,
    office: Nginx,
    spoil: Callable[[Path], object],
    says: str,
) -> None:
    path = headers(lab)
    lab.machine("gpu", 2)
    configure(lab, office, "publish = true\n")
    lab.start()
    lab.until_decided("office")
    spoil(path)
    lab.until_decided("gpu")
    until(lambda: lab.standing("office") == "down", "it is down")
    assert says in lab.ask("why", "office").stdout
    headers(lab)
    until(lambda: lab.standing("office") == "held_down", "it answers again, and has to live for a while")


def test_the_stable_address_lends_the_token_if_its_table_says_so(lab: Lab, office: Nginx) -> None:
    """The endpoint stays one that programs can use as it is."""
    headers(lab)
    lab.machine("gpu", 2)
    port = free_port()
    configure(lab, office, f'forward = true\n[forward]\nlisten = "127.0.0.1:{port}"\n')
    lab.start()
    lab.until_decided("gpu")
    until(lambda: lab.standing("office") == "needs_header", "it is asked with its token")
    until(lambda: lab.snapshot().get("forward"), "it listens")
    models = json.loads(asked(port, "/api/tags"))["models"]
    assert [one["name"] for one in models] == ["mistral:latest", "only-office:1b"]
    lab.kill("office")
    until(lambda: len(json.loads(asked(port, "/api/tags"))["models"]) == 1, "the next one answers")
    assert WORD not in everything_said(lab)


def asked(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()
