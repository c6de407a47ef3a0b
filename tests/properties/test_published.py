"""What is published can be sourced, parsed and printed, whatever peers, models and states say."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core import render
from ollama_locate.core.advice import advice
from ollama_locate.core.changes import changes
from ollama_locate.core.for_model import stand_for
from ollama_locate.core.locator import Locator
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.tailnet import parse_status
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.core.text import shown
from ollama_locate.core.track import LastGood
from ollama_locate.edge.templates import templates

from .strategies import all_settings, documents, probes, stocks, unicode_texts
from .test_readers import is_harmless

VALUE = re.compile(r"[A-Za-z0-9:/._\-\[\]]+", re.ASCII)
MARKER = re.compile(r"[A-Za-z0-9:/._\-\[\]=,]+", re.ASCII)
TEMPLATES = {"OLLAMA_ENDPOINT": "{url}", "OLLAMA_HOST": "{host}:{port}", "OPENAI_BASE_URL": "{url}/v1"}

urls = unicode_texts | st.builds("http://{}:{}".format, unicode_texts, st.integers(1, 65535))
goods = st.none() | st.builds(
    LastGood, st.sampled_from(["n2:11434", "gone:1", "local:1"]), unicode_texts.map(shown), urls
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Of a locator that has seen any tailnet and any answers."""
    locator = Locator(draw(all_settings), 0.0, draw(goods))
    if draw(st.booleans()):
        locator.see(parse_status(json.dumps(draw(documents())).encode()), 0.0)
    for key in sorted(locator.tracks):
        if draw(st.integers(0, 3)):
            locator.begin(key, 1.0)
            locator.finish(key, draw(probes(1.0)), 2.0)
            locator.stocked(key, draw(stocks))
    decision = locator.conclude(3.0)
    return take(locator, decision, TEMPLATES, Clock(3.0, 1_800_000_000.0), Run(1))


@given(snapshots())
def test_every_value_can_stand_unquoted(snapshot: Snapshot) -> None:
    files = {name: data.decode() for name, data in render.files(snapshot, templates()).items()}
    assert re.fullmatch(VALUE.pattern + r"\n", files["endpoint"])
    assert files["verdict"] in ("fresh\n", "stale\n", "none\n")
    lines = files["env"].split("\n")
    assert lines.pop() == ""
    for line in lines:
        name, _, value = line.partition("=")
        assert (MARKER if name == "OLLAMA_LOCATE_APPLIED" else VALUE).fullmatch(value)
        assert name in (*TEMPLATES, "OLLAMA_LOCATE_APPLIED")
    for line in files["models"].splitlines(keepends=True):
        assert re.fullmatch(VALUE.pattern + r"\t" + VALUE.pattern + r"\n", line)


@given(snapshots())
def test_the_endpoint_is_the_variable_s_value_and_one_of_the_servers_where_it_is_fresh(snapshot: Snapshot) -> None:
    assert snapshot.variables["OLLAMA_ENDPOINT"] == snapshot.decision.endpoint
    if snapshot.decision.verdict == "fresh":
        by_key = {one.key: one.url for one in snapshot.servers}
        assert by_key[snapshot.decision.server or ""] == snapshot.decision.endpoint


@given(snapshots())
def test_the_best_server_for_a_model_is_one_that_answers_and_lists_it(snapshot: Snapshot) -> None:
    by_key = {one.key: one for one in snapshot.servers}
    for model, key in snapshot.best.items():
        assert by_key[key].health == "up"
        assert model in (by_key[key].models or ())
        assert stand_for(snapshot, model).server == by_key[key]


@given(snapshots())
def test_state_json_reads_back_as_it_was(snapshot: Snapshot) -> None:
    assert render.read_snapshot(render.files(snapshot, templates())["state.json"]) == snapshot


@given(snapshots(), snapshots())
def test_what_people_read_is_harmless(old: Snapshot, new: Snapshot) -> None:
    for sentence in [*advice(new), *(sentence for _, sentence in changes(old, new))]:
        assert is_harmless(sentence)
    for server in new.servers:
        assert is_harmless(server.key + server.name + server.detail + server.version + server.text)
        for model in server.inventory or ():
            assert is_harmless(model.name + model.digest + model.parameters + model.quantisation + model.until)
    for rejected in new.rejected:
        assert is_harmless("".join((rejected.key, rejected.name, *rejected.addresses)))


@given(snapshots())
def test_the_same_snapshot_twice_is_no_news(snapshot: Snapshot) -> None:
    assert changes(snapshot, snapshot) == []
