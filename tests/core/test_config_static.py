"""[static]: a URL, or a table for a server behind a proxy."""

import re

import pytest

from ollama_locate.core.config import parse_config
from ollama_locate.core.config_values import expand
from ollama_locate.core.errors import ConfigError
from ollama_locate.core.server import NOTHING, Needs
from ollama_locate.core.trust import StaticServer

TABLE = """\
[static.office]
url = "https://ai.example.com/ollama/"
ca = "/etc/ssl/office.pem"
headers = "~/.config/ollama-locate/office.headers"
publish = true
forward = true

[static]
den = "http://192.168.7.7:8080/gpu-1/ollama"
"""


def test_a_table_has_what_a_proxy_wants() -> None:
    found = parse_config(TABLE.encode(), "c.toml")
    needs = Needs("~/.config/ollama-locate/office.headers", "/etc/ssl/office.pem", publish=True, forward=True)
    office, den = found.static
    assert office == StaticServer("office", "ai.example.com", 443, tls=True, prefix="/ollama", needs=needs)
    assert den == StaticServer("den", "192.168.7.7", 8080, prefix="/gpu-1/ollama")
    assert office.url == "https://ai.example.com:443/ollama"
    assert den.url == "http://192.168.7.7:8080/gpu-1/ollama"
    assert (found.needs("static:office"), found.needs("static:den"), found.needs("p1:11434")) == (
        needs,
        NOTHING,
        NOTHING,
    )
    assert found.sources["static"] == "c.toml:1"


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        pytest.param("http://127.0.0.1:8080", True, id="this machine"),
        pytest.param("http://localhost:8080", True, id="by its name"),
        pytest.param("http://[::1]:8080", True, id="by IPv6"),
        pytest.param("http://100.64.0.9:8080/x", True, id="the tailnet encrypts"),
        pytest.param("http://[fd7a:115c:a1e0::9]:8080", True, id="its IPv6 as well"),
        pytest.param("https://ai.example.com", True, id="TLS"),
        pytest.param("http://192.168.7.7:8080", False, id="a network of a house"),
        pytest.param("http://gpu-box:8080", False, id="a name may mean anybody"),
    ],
)
def test_a_token_does_not_travel_in_clear_text(url: str, headers: bool) -> None:  # noqa: FBT001 - of the table
    text = f'[static.x]\nurl = "{url}"\nheaders = "/h"\n'.encode()
    if headers:
        assert parse_config(text, "c.toml").static[0].needs.headers == "/h"
        return
    with pytest.raises(ConfigError, match=r"^c.toml:3: static.x.headers: they would travel in clear text: use https"):
        parse_config(text, "c.toml")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        pytest.param("", "c.toml:1: static.x: needs a URL: url =", id="no URL"),
        pytest.param("url = 1", "c.toml:2: static.x.url: must be a URL such as", id="a number"),
        pytest.param('uri = "https://h"', "c.toml:2: static.x.uri: unknown key; there are url, ca", id="a typo"),
        pytest.param('url = "https://h"\ntoken = "t0p"', "c.toml:3: static.x.token: unknown key", id="a token in it"),
        pytest.param('url = "https://h"\nca = "x.pem"', "static.x.ca: must be an absolute path", id="a relative path"),
        pytest.param('url = "https://h"\nheaders = 1', "static.x.headers: must be an absolute", id="no path"),
        pytest.param('url = "https://h"\npublish = "no"', "static.x.publish: must be true or", id="no truth"),
        pytest.param(
            'url = "http://h:1"\nca = "/x"', "static.x.ca: only https has a certificate", id="a CA of nothing"
        ),
        pytest.param('url = "https://h"\nforward = 1', "static.x.forward: must be true or", id="no truth here"),
        pytest.param('url = "https://me:t0p@h"', "static.x.url: a URL holds no login", id="a login"),
        pytest.param('url = "https://me:t0p@h:t0p"', "static.x.url: it is no URL", id="a login and no port"),
        pytest.param('url = "https://h/a?t0p"', "no query, no fragment", id="a query"),
        pytest.param('url = "https://h/a?"', "no query, no fragment", id="an empty query"),
        pytest.param('url = "https://h/a#"', "no query, no fragment", id="an empty fragment"),
        pytest.param('url = "https://h/v1"', "leave out `/v1`: programs add it", id="OpenAI's form"),
        pytest.param('url = "https://h/a/api/"', "leave out `/api`: programs add it", id="the path of the API"),
        pytest.param('url = "http://h/a"', "write the port: http://h:11434/a", id="no port"),
        *(
            pytest.param(f'url = "https://h{path}"', "its path may hold letters, digits", id=f"the path {path[:12]}")
            for path in (
                "/a/../b",
                "/..",
                "/.hidden",
                "//a",
                "/a//b",
                "/a%2e",
                "/a;b",
                "/a b",
                "/ä",
                "/a\\tb",
                "/$(id)",
                "/a\\\\b",
                "/a@b",
                "/" + "a" * 200,
            )
        ),
    ],
)
def test_a_mistake_in_a_table_is_said_with_its_place(table: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(f"[static.x]\n{table}\n".encode(), "c.toml")
    said = str(caught.value)
    assert sentence in said
    assert "\n" not in said
    assert "t0p" not in said


def test_a_table_on_one_line_has_its_place_as_well() -> None:
    with pytest.raises(ConfigError, match=re.escape("c.toml:2: static.x.url: `https://h/..`")):
        parse_config(b'[static]\nx = { url = "https://h/.." }', "c.toml")


@pytest.mark.parametrize(
    ("listen", "warnings"),
    [
        pytest.param("", ["static.x.forward: there is no stable address; [forward] opens one"], id="no forward"),
        pytest.param("127.0.0.1:11435", [], id="one of this machine"),
        pytest.param(
            "0.0.0.0:11435",
            [
                "forward.listen: every machine that can reach 0.0.0.0 can use your servers through it",
                "forward.listen: they use the headers of x with it",
            ],
            id="one for everybody",
        ),
    ],
)
def test_a_header_that_is_lent_is_worth_a_warning(listen: str, warnings: list[str]) -> None:
    text = '[static.x]\nurl = "https://h"\nheaders = "/h"\nforward = true\n'
    text += f'[forward]\nlisten = "{listen}"\n' if listen else ""
    assert list(parse_config(text.encode(), "c.toml").warnings) == warnings


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{url}", "https://ai.example.com:443/ollama"),
        ("{url}/v1", "https://ai.example.com:443/ollama/v1"),
        ("{host}", "ai.example.com"),
        ("{name}", "office"),
        ("{host}:{port}", ""),
        ("http://{host}:{port}/v1", ""),
    ],
)
def test_an_address_without_its_path_is_not_written(template: str, value: str) -> None:
    assert expand(template, "https://ai.example.com:443/ollama", "office") == value
