"""Targets of the core: whatever bytes come, there is an answer of a known kind, and nothing in it harms.

Each takes bytes and returns nothing; a promise that does not hold is an AssertionError, and any other error is one too.
"""

import contextlib
import math
from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from ollama_locate.cli.config import values
from ollama_locate.cli.models import _cell, _of
from ollama_locate.core.answer import judge_version
from ollama_locate.core.config import Config, parse_config
from ollama_locate.core.config_values import expand
from ollama_locate.core.constants import DETAIL_MAX, MODELS_MAX
from ollama_locate.core.errors import ConfigError
from ollama_locate.core.inventory import Model, ability, able, listed, loaded, unlisted, usable
from ollama_locate.core.locator import Locator
from ollama_locate.core.models import is_model_name
from ollama_locate.core.names import may_be_set
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.pulling import Meter, parse_error, sizes, speed, told
from ollama_locate.core.server import Kind
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.tailnet import Peer, Tailnet, Unavailable, parse_own, parse_status
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.core.text import is_value, shown
from ollama_locate.core.track import LastGood
from ollama_locate.core.trust import Policy, judge

from .promises import harmless, marked, published

TAILNET = (ip_network("100.64.0.0/10"), ip_network("fd7a:115c:a1e0::/48"))
CLOCK = Clock(3.0, 1_800_000_000.0)


def status(data: bytes) -> None:
    """What `tailscale status --json` printed: a tailnet or a reason; and only own nodes in its ranges are asked."""
    own = parse_own(data)
    harmless(own.version, own.key_expiry)
    found = parse_status(data)
    if isinstance(found, Unavailable):
        harmless(found.reason.text, found.detail)
        assert len(found.detail) <= DETAIL_MAX
        return
    for server in judge(found, Policy((11434,)))[0]:
        harmless(server.name, server.key)
        assert is_value(server.url)
        assert any(ip_address(server.host) in network for network in TAILNET)
        if server.kind is Kind.PEER:
            assert any(_own(peer, found) for peer in found.peers if f"{peer.id}:11434" == server.key)
    published(_life(Config(), data, None, ()))


def _own(peer: Peer, found: Tailnet) -> bool:
    mine = bool(peer.tags) or peer.user_id == found.self.user_id
    return mine and not (peer.shared_in or peer.shared_out or peer.expired)


def config(data: bytes) -> None:
    """A config: settings, or one line that names the file."""
    try:
        found = parse_config(data, "c.toml")
    except ConfigError as error:
        sentence = str(error)
        harmless(sentence)
        assert sentence.startswith("c.toml")
        return
    harmless(*found.warnings, *found.sources.values())
    msgspec.json.encode(values(found))
    found.settings()
    assert found.forward is None or is_value(found.forward.url)
    for name, template in found.variables.items():
        assert may_be_set(name)
        assert is_value(expand(template, "http://100.64.0.2:11434", "gpu"))
    published(_life(found, b"", None, ((200, b'{"version":"1"}', b""),)))


class _World(msgspec.Struct):
    """A life in one document: whose `last` was published, and what each server answers."""

    config: str = ""
    status: msgspec.Raw = msgspec.Raw(b"{}")
    last: tuple[str, str, str] | None = None
    answers: tuple[tuple[int, msgspec.Raw, msgspec.Raw], ...] = ()
    environment: dict[str, str] = {}


def world(data: bytes) -> None:
    """Any config, tailnet, past and answers together: what is published is one that may be, and every file is safe."""
    try:
        said = msgspec.json.decode(data, type=_World)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    found = Config()
    with contextlib.suppress(ConfigError):
        found = parse_config(said.config.encode(), "c.toml")
    last = LastGood(shown(said.last[0]), shown(said.last[1]), said.last[2]) if said.last else None
    answers = tuple((code, bytes(version), bytes(tags)) for code, version, tags in said.answers)
    snapshot = _life(found, bytes(said.status), last, answers)
    published(snapshot)
    marked(said.environment, snapshot.variables)
    _may_be_published(found, snapshot)


def _may_be_published(found: Config, snapshot: Snapshot) -> None:
    decision = snapshot.decision
    if decision.verdict != "fresh":
        return
    (server,) = (one for one in snapshot.servers if one.key == decision.server)
    host = server.url.partition("://")[2].rpartition(":")[0].strip("[]")
    assert server.url == decision.endpoint
    assert server.kind in ("peer", "local", "static")
    if server.kind == "peer":
        assert any(ip_address(host) in network for network in (*TAILNET, *found.trusted_networks))


def _life(found: Config, raw: bytes, last: LastGood | None, answers: tuple[tuple[int, bytes, bytes], ...]) -> Snapshot:
    """The tailnet is seen, each server is asked once and answers, and it is decided."""
    locator = Locator(found.settings(), 0.0, last)
    if raw:
        locator.see(parse_status(raw), 0.0)
    for place, key in enumerate(sorted(locator.tracks)):
        if answers:
            code, version, tags = answers[place % len(answers)]
            outcome, detail, said = judge_version(code, version)
            stock = listed(tags) if outcome is Outcome.ALIVE else None
            names = usable(stock) if stock is not None else None
            locator.begin(key, 1.0)
            locator.finish(key, Probe(outcome, 1.0, detail, 0.01, version=said, models=names, connected=True), 2.0)
            if stock is not None:
                locator.stocked(key, loaded(stock, tags))
    return take(locator, locator.conclude(3.0), found.variables, CLOCK, Run(1))


def models(data: bytes) -> None:
    """Lines: the answers of `/api/tags`, `/api/ps`, `/api/show` and `/api/version`. What is listed can be shown."""
    tags, ps, show, version, *_ = [*data.split(b"\n"), b"", b"", b""]
    outcome, detail, said = judge_version(200, version)
    assert outcome in (Outcome.ALIVE, Outcome.NOT_OLLAMA)
    harmless(detail, said)
    known = ability(show)
    found = listed(tags)
    if found is None:
        return
    unlisted(found, ps)
    found = loaded(found, ps)
    found = able(found, {(one.name, one.digest): known for one in found[:1]} if known is not None else {})
    assert len(found) <= MODELS_MAX
    assert msgspec.json.decode(msgspec.json.encode(found), type=tuple[Model, ...]) == found
    assert all(is_model_name(name) and is_value(name) for name in usable(found, cloud=True))
    for model in found:
        harmless(*_of({"n1:1": model}), _cell(model, None), model.until, model.digest, *(model.can or ()))
        assert 0.0 <= model.in_card <= 1.0


def pull(data: bytes) -> None:
    """Lines of a pull, a second apart: the count never goes back or beyond the whole, and it comes to an end."""
    now, before = 0.0, 0
    meter = Meter(now)
    for line in data.split(b"\n"):
        now += 1.0
        failure = meter.feed(line, now)
        harmless(meter.status, *((failure.text,) if failure else ()))
        assert before <= meter.completed <= meter.total
        before = meter.completed
        _counted(meter, now)
    assert meter.done or meter.stalled(meter.moved_at + meter.patience)
    harmless(told(parse_error(data)).text, told(data.decode(errors="replace")).text)


def _counted(meter: Meter, now: float) -> None:
    rate, left = meter.rate(now), meter.left(now)
    harmless(sizes(meter.completed, meter.total), speed(rate or 0.0))
    assert rate is None or (rate > 0 and math.isfinite(rate))
    assert left is None or (left >= 0 and math.isfinite(left))
    counted: Any = {"total": meter.total, "completed": meter.completed, "rate": rate}
    msgspec.json.encode(counted)
