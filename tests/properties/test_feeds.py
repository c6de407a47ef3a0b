"""Whatever servers and models are called, a feed has the lines that it should have, and no others."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ollama_locate.core.feed import Format
from ollama_locate.core.feeds import make
from ollama_locate.core.snapshot import ServerState, Snapshot
from tests.properties.strategies import unicode_texts
from tests.snapshots import alive, snapshot
from tests.standins.tailscale import node

BASE = snapshot({"n2:11434": alive(0.01, "m:1")}, node("gpu", 2))
GPU = next(one for one in BASE.servers if one.name == "gpu")
NAME, HOST = r"[A-Za-z0-9._-]+", r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
TLS = rf" ssl verify required ca-file @system-ca sni str\({NAME}\) verifyhost {NAME}"
LINES = re.compile(
    rf"|listen ollama-{NAME}|    mode http|    bind abns@ollama-{NAME}|    timeout [a-z]+ [0-9]+s"
    rf"|    http-request set-header Host {HOST}(:[0-9]+)?"
    rf"|    server {NAME} (abns@ollama-{NAME}|{HOST}:[0-9]+)( backup)?"
    rf"|    server {NAME} {HOST}:[0-9]+ init-addr last,libc,none({TLS})?"
)
ENTRY = re.compile(r'  - model_name: "[A-Za-z0-9._:/-]+"\n    litellm_params: (\{"model":"ollama_chat/[^"\n]+".*\})\n')

urls = st.builds(
    "{}://{}:{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["100.64.0.9", "[fd00::9]", "a.example"]) | unicode_texts,
    st.integers(0, 70_000) | unicode_texts,
)
servers = st.builds(
    lambda **words: replace(GPU, **words),
    key=unicode_texts,
    name=unicode_texts,
    url=urls | unicode_texts,
    kind=st.sampled_from(["peer", "local", "static"]),
    tier=st.none() | st.integers(-1, 3),
    path=unicode_texts,
    models=st.none() | st.lists(unicode_texts | st.sampled_from(["a:latest", "os.environ/A"]), max_size=3).map(tuple),
)
some = st.lists(servers, max_size=5, unique_by=(lambda one: one.url, lambda one: one.key))


def world(found: list[ServerState]) -> Snapshot:
    return replace(BASE, servers=tuple(found))


@given(some)
def test_a_line_of_haproxy_is_a_server_and_nothing_else(found: list[ServerState]) -> None:
    text = make(Format.HAPROXY, world(found)).data.decode()
    lines = text.removeprefix(make(Format.HAPROXY, world([])).data.decode()).split("\n")
    assert [line for line in lines if not LINES.fullmatch(line)] == []
    names = [line.split()[1] for line in lines if line.startswith("    server ") and "init-addr" not in line]
    assert len(set(names)) == len(names)


@given(some)
def test_an_entry_of_litellm_is_an_entry_and_nothing_else(found: list[ServerState]) -> None:
    text = make(Format.LITELLM, world(found)).data.decode()
    assert text.isascii()
    head, _, body = text.partition("\nmodel_list:")
    assert "\n" not in head
    rest = body.removeprefix(" []").removeprefix("\n")
    for match in ENTRY.finditer(rest):
        assert set(json.loads(match[1])) == {"model", "api_base", "order"}
    assert ENTRY.sub("", rest).strip() == ""
    assert "os.environ" not in text


@given(some.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_the_servers_does_not_matter(both: tuple[list[ServerState], list[ServerState]]) -> None:
    for kind in Format:
        assert make(kind, world(both[0])).data == make(kind, world(both[1])).data


@given(some)
def test_targets_are_json_of_plain_labels(found: list[ServerState]) -> None:
    groups = json.loads(make(Format.PROMETHEUS, world(found)).data)
    assert groups[0] == {"targets": [], "labels": {"feed": "ollama-locate"}}
    for group in groups[1:]:
        assert re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d+", group["targets"][0])
        assert set(group["labels"]) - {"__scheme__"} == {"server", "tier", "path", "standing"}
        assert all(isinstance(one, str) for one in group["labels"].values())
