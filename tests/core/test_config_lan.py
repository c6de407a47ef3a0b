"""The `[mdns]` table: what a mistake in it is answered with, and what may not be allowed."""

import pytest

from ollama_locate.core.config import parse_config
from ollama_locate.core.errors import ConfigError
from ollama_locate.core.mdns import Mdns


def read(text: str) -> Mdns:
    return parse_config(text.encode(), "c.toml").mdns


def test_it_is_off_unless_it_is_turned_on() -> None:
    assert read("") == read("[mdns]\n") == Mdns()
    assert not Mdns().browse
    assert not Mdns().advertise


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("mdns = true", "c.toml:1: mdns: must be a table: [mdns]", id="no table"),
        pytest.param("[mdns]\nbrowze = true", "c.toml:2: mdns.browze: unknown key; there are browse, serv", id="a key"),
        pytest.param('[mdns]\nbrowse = "yes"', "c.toml:2: mdns.browse: must be true or false", id="a word"),
        pytest.param("[mdns]\nadvertise = 1", "c.toml:2: mdns.advertise: must be true or false", id="a number"),
        pytest.param("[mdns]\nservices = []", "mdns.services: there must be 1 to 8", id="no service"),
        pytest.param('[mdns]\nservices = "_x._tcp.local."', 'write ["_x._tcp.local."]', id="no list"),
        pytest.param('[mdns]\nservices = ["ollama"]', "`ollama.` is no type of service", id="no type"),
        pytest.param('[mdns]\nservices = ["_ollama._udp.local."]', "is no type of service", id="UDP"),
        pytest.param('[mdns]\nservices = ["_ollama._tcp.example.com."]', "is no type of service", id="no LAN"),
        pytest.param(f"[mdns]\nservices = {[f'_s{n}._tcp.local' for n in range(9)]}", "1 to 8", id="too many"),
        pytest.param('[mdns]\ninterfaces = ["eth 0"]', "`eth 0` is no interface or address", id="no interface"),
        pytest.param('[mdns]\nallow = ["*"]', "`*` says nothing on a LAN; write names", id="everybody"),
        pytest.param('[mdns]\nallow = ["tag:x"]', "`tag:x` says nothing on a LAN", id="a tag"),
        pytest.param('[mdns]\nallow = ["user:me"]', "`user:me` says nothing on a LAN", id="a user"),
        pytest.param('[mdns]\nallow = ["local"]', "`local` says nothing on a LAN", id="this machine"),
        pytest.param('[mdns]\nallow = ["mdns"]', "`mdns` says nothing on a LAN", id="the word for all"),
        pytest.param('[mdns]\nallow = ["192.168.1.20/24"]', "is no network", id="host bits"),
        pytest.param('[mdns]\nallow = ["192.0.0.0/7"]', "is too wide to be trusted; at most a /8", id="too wide"),
        pytest.param('[mdns]\nallow = ["127.0.0.1"]', "`127.0.0.1` is, or holds, what mDNS cannot say", id="loopback"),
        pytest.param('[mdns]\nallow = ["::1"]', "`::1` is, or holds,", id="loopback in IPv6"),
        pytest.param('[mdns]\nallow = ["0.0.0.0/0"]', "`0.0.0.0/0` is, or holds,", id="everything"),
        pytest.param('[mdns]\nallow = ["100.64.0.2"]', "`100.64.0.2` is, or holds,", id="the tailnet"),
        pytest.param('[mdns]\nallow = ["100.0.0.0/8"]', "`100.0.0.0/8` is, or holds,", id="a network around it"),
    ],
)
def test_a_mistake_is_said_with_its_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(text)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_interfaces_are_names_or_plain_addresses() -> None:
    assert read('[mdns]\ninterfaces = ["enp3s0", "192.168.1.5", "FE80::1"]').interfaces == (
        "enp3s0",
        "192.168.1.5",
        "fe80::1",
    )


def test_services_and_names_are_read_in_any_case() -> None:
    found = read(
        '[mdns]\nservices = ["_LLM._tcp.local", "_llm._tcp.local."]\nallow = ["GPU-Box.local.", "10.0.0.0/8"]\n'
    )
    assert found.services == ("_llm._tcp.local.",)
    assert [one.text for one in found.allow] == ["gpu-box.local", "10.0.0.0/8"]
