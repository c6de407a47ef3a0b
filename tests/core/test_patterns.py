"""The entries of allow, deny and prefer, and the place that they give a server."""

import re
from typing import Any

import pytest

from ollama_locate.core.patterns import (
    Form,
    Pattern,
    matches,
    names,
    parse_network,
    parse_pattern,
    tier_of_found,
    tier_of_local,
    tier_of_name,
    tier_of_peer,
)
from tests.standins.tailscale import node

from .world import tailnet

TAGGED = {"UserID": 99, "Tags": ["tag:ollama", "tag:lab"]}
ELSEWHERE = {"DNSName": "gpu.other.ts.net."}


def prefer(*texts: str) -> tuple[Pattern, ...]:
    return tuple(parse_pattern(text) for text in texts)


@pytest.mark.parametrize(
    ("text", "form", "written"),
    [
        pytest.param("*", Form.ANY, "*", id="everybody"),
        pytest.param("local", Form.LOCAL, "local", id="this machine"),
        pytest.param("mdns", Form.MDNS, "mdns", id="whoever mDNS found"),
        pytest.param("tag:Ollama", Form.TAG, "tag:Ollama", id="a tag, whose case matters"),
        pytest.param("user:Me@Example.com", Form.USER, "user:me@example.com", id="a user, whose case does not"),
        pytest.param("100.64.0.2", Form.NETWORK, "100.64.0.2", id="an address"),
        pytest.param("fd7a:115c:a1e0::/64", Form.NETWORK, "fd7a:115c:a1e0::/64", id="a network"),
        pytest.param("GPU", Form.NAME, "gpu", id="a short name"),
        pytest.param("gpu.tail-lab.ts.net.", Form.NAME, "gpu.tail-lab.ts.net", id="a whole name with its last dot"),
    ],
)
def test_an_entry_is_read_and_can_be_written_again(text: str, form: Form, written: str) -> None:
    pattern = parse_pattern(text)
    assert (pattern.form, pattern.text) == (form, written)
    assert parse_pattern(pattern.text) == parse_pattern(written)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "empty", id="nothing"),
        pytest.param(" gpu", "blanks", id="a blank in front"),
        pytest.param("gpu\n", "blanks", id="a line's end"),
        pytest.param("tag:", "`tag:` names no tag", id="a tag without a name"),
        pytest.param("user:", "`user:` names no user", id="a user without a name"),
        pytest.param("TAG:ollama", "`TAG:ollama`: write `tag:` in small letters", id="a tag in capitals"),
        pytest.param("User:me", "`User:me`: write `user:` in small letters", id="a user in capitals"),
        pytest.param("100.64.0.2/24", "`100.64.0.2/24` is no network: 100.64.0.2/24 has host bits set", id="host bits"),
        pytest.param("gpu/box", "`gpu/box` is no network", id="a slash, but no network"),
    ],
)
def test_a_wrong_entry_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_pattern(text)


def test_a_network_is_read_or_refused() -> None:
    assert str(parse_network("10.0.0.7")) == "10.0.0.7/32"
    with pytest.raises(ValueError, match="`gpu` is no IP or network"):
        parse_network("gpu")


@pytest.mark.parametrize(
    ("text", "fields", "want"),
    [
        pytest.param("*", {}, True, id="* is everybody"),
        pytest.param("local", {}, False, id="local is no peer"),
        pytest.param("gpu", {}, True, id="a name"),
        pytest.param("GPU.tail-lab.ts.net.", {}, True, id="the whole name in capitals"),
        pytest.param("gp", {}, False, id="no part of a name"),
        pytest.param("gpu", ELSEWHERE, False, id="a node shared in does not take our name"),
        pytest.param("gpu.other.ts.net", ELSEWHERE, True, id="but has its whole one"),
        pytest.param("gpu", {"DNSName": ""}, False, id="a host name is never looked at"),
        pytest.param("tag:lab", TAGGED, True, id="any of its tags"),
        pytest.param("tag:lab", {**TAGGED, **ELSEWHERE}, False, id="the tags of another tailnet are not ours"),
        pytest.param("tag:la", TAGGED, False, id="no part of a tag"),
        pytest.param("user:ME@example.com", {}, True, id="its user"),
        pytest.param("user:me@example.com", {"UserID": 2}, False, id="another user"),
        pytest.param("user:me@example.com", {"Tags": ["tag:lab"]}, False, id="a tagged node has no user"),
        pytest.param("user:me@example.com", {"UserID": 77}, False, id="a user without a login"),
        pytest.param("100.64.0.2", {}, True, id="its address"),
        pytest.param("100.64.0.0/24", {}, True, id="a network round it"),
        pytest.param("fd7a:115c:a1e0::/48", {}, True, id="any of its addresses"),
        pytest.param("100.64.1.0/24", {}, False, id="a network elsewhere"),
        pytest.param("100.64.0.2", {"TailscaleIPs": ["gpu", "100.64.0.2"]}, True, id="what is no address is skipped"),
    ],
)
def test_an_entry_speaks_of_a_peer(text: str, fields: dict[str, Any], *, want: bool) -> None:
    assert matches(parse_pattern(text), tailnet(node("gpu", 2, **fields)).peers[0]) is want


@pytest.mark.parametrize(
    ("texts", "host", "tier"),
    [
        pytest.param(["gpu", "*"], "gpu", 0, id="its name"),
        pytest.param(["gpu", "*"], "gpu.local", 0, id="its name on the LAN"),
        pytest.param(["tag:gpu", "mdns"], "tag:gpu", 1, id="only a name is a name"),
        pytest.param(["100.64.0.0/24", "mdns"], "gpu", 1, id="another network"),
        pytest.param(["192.168.1.0/24", "mdns"], "gpu", 0, id="its network"),
        pytest.param(["local", "*"], "local", 3, id="this machine's word is no name, and `*` does not speak of it"),
    ],
)
def test_the_tier_of_a_server_of_the_lan(texts: list[str], host: str, tier: int) -> None:
    assert tier_of_found(prefer(*texts), host, "192.168.1.20") == tier


def test_the_url_of_a_server_may_have_no_address() -> None:
    assert not names(parse_pattern("100.64.0.0/24"), "gpu", "http://gpu:11434")
    assert tier_of_name(prefer("*", "user:gpu", "gpu"), "gpu") == 2


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("GPU", True, id="its name"),
        pytest.param("gpu.tail-lab.ts.net", True, id="its whole name"),
        pytest.param("nas", False, id="another name"),
        pytest.param("100.64.0.0/24", True, id="its address"),
        pytest.param("100.64.1.0/24", False, id="another address"),
        pytest.param("tag:gpu", False, id="tags are not known"),
        pytest.param("*", False, id="nor whether it is meant by all"),
    ],
)
def test_an_entry_speaks_of_a_server_of_which_only_name_and_url_are_known(text: str, *, want: bool) -> None:
    assert names(parse_pattern(text), "gpu", "http://100.64.0.2:11434") is want


@pytest.mark.parametrize(
    ("order", "tier"),
    [
        pytest.param((), 0, id="without an order all are equal"),
        pytest.param(("gpu", "*"), 0, id="the first entry"),
        pytest.param(("nas", "gpu"), 1, id="the second entry"),
        pytest.param(("*", "gpu"), 1, id="who is named is not in *"),
        pytest.param(("100.64.0.0/24", "gpu"), 0, id="the first entry that speaks of it"),
        pytest.param(("nas", "*", "pi"), 1, id="* is the rest"),
        pytest.param(("nas", "pi"), 2, id="without * the rest comes last"),
    ],
)
def test_a_peer_s_tier_is_the_place_of_its_entry(order: tuple[str, ...], tier: int) -> None:
    assert tier_of_peer(prefer(*order), tailnet(node("gpu", 2)).peers[0]) == tier


@pytest.mark.parametrize(
    ("order", "tier"),
    [
        pytest.param(("gpu", "Den"), 1, id="its name, in any case"),
        pytest.param(("*", "gpu"), 0, id="else the rest"),
        pytest.param(("tag:den",), 1, id="a tag is no name"),
    ],
)
def test_a_static_server_has_a_name_only(order: tuple[str, ...], tier: int) -> None:
    assert tier_of_name(prefer(*order), "dEN") == tier


def test_this_machine_s_tier_is_said_by_prefer_or_by_nobody() -> None:
    assert tier_of_local(prefer("gpu", "local")) == 1
    assert tier_of_local(prefer("gpu", "*")) is None
