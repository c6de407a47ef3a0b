"""Figures of speed: what is kept, what is refused, what follows from one."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.bounds_models import ANSWER_TOKENS, LOAD_ASSUMED, RATE_MAX, SPEEDS_KEPT, SPEEDS_MAX_BYTES
from ollama_locate.core.constants import MODEL_NAME_MAX
from ollama_locate.core.models import short_digest
from ollama_locate.core.speed import Speed, expected, is_of, is_sane, merged, parse_speeds, render_speeds

DIGEST = "6577803aa9a0"
ONE = Speed("n2:11434", "mistral:latest", DIGEST, 1_000.0, 0.3, 40.0, 4.0)


def changed(**what: object) -> Speed:
    return msgspec.structs.replace(ONE, **what)


@pytest.mark.parametrize(
    ("speed", "rtt", "loaded", "tokens", "seconds"),
    [
        pytest.param(ONE, 0.0, True, 200, 0.3 + 5.0, id="loaded"),
        pytest.param(ONE, 0.05, True, 0, 0.35, id="the first token, from afar"),
        pytest.param(ONE, 0.0, False, 200, 4.0 + 0.3 + 5.0, id="cold"),
        pytest.param(changed(load=0.0), 0.0, False, 200, LOAD_ASSUMED + 5.3, id="cold, and a load was never seen"),
        pytest.param(changed(load=0.0), 0.0, True, 200, 5.3, id="loaded, and a load was never seen"),
        pytest.param(ONE, 0.0, True, ANSWER_TOKENS, 0.3 + ANSWER_TOKENS / 40, id="a typical answer"),
    ],
)
def test_a_typical_answer(speed: Speed, rtt: float, *, loaded: bool, tokens: int, seconds: float) -> None:
    assert expected(speed, rtt, loaded=loaded, tokens=tokens) == pytest.approx(seconds)
    assert expected(speed, rtt, loaded=loaded) == pytest.approx(seconds + (ANSWER_TOKENS - tokens) / 40)


@pytest.mark.parametrize(
    ("digest", "shown"),
    [
        ("6577803aa9a036369e481d648a2baebb381ebc6e897f2bb9a766a2aa7bfbc1cf", DIGEST),
        ("sha256:6577803aa9a036369e481d648a2baebb381ebc6e897f2bb9a766a2aa7bfbc1cf", DIGEST),
        ("sha256-6577803AA9A0", DIGEST),
        ("6577803", ""),
        ("", ""),
        ("\x1b[2J6577803aa9a0", ""),
        ("6577803aa9a0 \n", ""),
    ],
)
def test_a_digest_is_shortened_as_ollama_list_does(digest: str, shown: str) -> None:
    assert short_digest(digest) == shown


@pytest.mark.parametrize(
    ("known", "now", "same"),
    [(DIGEST, f"sha256:{DIGEST}ff", True), (DIGEST, "ff" * 32, False), (DIGEST, "", False), ("", "", True)],
)
def test_a_model_that_changed_makes_its_figure_outdated(known: str, now: str, *, same: bool) -> None:
    assert is_of(changed(digest=known), now) is same


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        pytest.param([], [ONE], [ONE], id="the first"),
        pytest.param([ONE], [changed(at=2_000.0, rate=50.0)], [changed(at=2_000.0, rate=50.0)], id="the newest wins"),
        pytest.param([changed(at=9e8)], [ONE], [ONE], id="though a clock was ahead"),
        pytest.param([ONE], [changed(rate=50.0, load=0.0)], [changed(rate=50.0)], id="a load that was seen is kept"),
        pytest.param(
            [ONE],
            [changed(digest="f" * 12, load=0.0)],
            [changed(digest="f" * 12, load=0.0)],
            id="not that of another model",
        ),
        pytest.param(
            [ONE],
            [changed(server="a:1"), changed(model="b:1")],
            [changed(server="a:1"), changed(model="b:1"), ONE],
            id="",
        ),
    ],
)
def test_figures_are_put_together(old: list[Speed], new: list[Speed], kept: list[Speed]) -> None:
    assert list(merged(old, new)) == kept


def test_the_newest_are_kept_and_fit_into_the_file() -> None:
    names = [f"{number:05}{'m' * (MODEL_NAME_MAX - 5)}" for number in range(SPEEDS_KEPT + 10)]
    many = [changed(server="\\" * 256, model=name, at=float(number)) for number, name in enumerate(names)]
    kept = merged(many, ())
    assert [one.model for one in kept] == names[10:]
    assert len(render_speeds(kept)) < SPEEDS_MAX_BYTES


def test_what_is_written_is_read() -> None:
    speeds = merged([ONE, changed(model="b:1", digest="", load=0.0)], ())
    assert parse_speeds(render_speeds(speeds)) == speeds
    assert parse_speeds(b'{"schema":1,"speeds":[],"more":1}') == ()


ENTRY = '{"server":"a:1","model":"m:1","digest":"","at":1,"first_token":0.1,"rate":%s,"load":0}'


@pytest.mark.parametrize("rate", ["0", "-3", "1e9"])
def test_a_figure_that_cannot_be_true_is_left_out_and_the_others_stay(rate: str) -> None:
    data = b'{"schema":1,"speeds":[%s,%s]}' % ((ENTRY % rate).encode(), (ENTRY % "40").replace("gpu", "nas").encode())
    assert [one.rate for one in parse_speeds(data)] == [40.0]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "cannot be read", id="nothing"),
        pytest.param(b"\xff\x00", "cannot be read", id="no text"),
        pytest.param(b"[" * 100_000, "cannot be read", id="deep"),
        pytest.param(b'{"speeds":[]}', "schema", id="no schema"),
        pytest.param(b'{"schema":2,"speeds":[]}', "upgrade", id="a later one"),
        pytest.param(b'{"schema":1,"speeds":[{}]}', "cannot be read", id="half an entry"),
        *(
            pytest.param(b'{"schema":1,"speeds":[%s]}' % (ENTRY % rate).encode(), sentence, id=f"a rate of {rate}")
            for rate, sentence in [
                ("1e999", "read"),
                ("NaN", "cannot be read"),
                ('"40"', "cannot be read"),
                ("null", "cannot be read"),
            ]
        ),
    ],
)
def test_another_file_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_speeds(data)


@pytest.mark.parametrize(
    "bad",
    [
        {"server": ""},
        {"server": "a\x1b[2J"},
        {"server": "a" * 300},
        {"model": "../x"},
        {"digest": "xyz"},
        {"at": -1.0},
        {"at": 5e9},
        {"first_token": -0.1},
        {"first_token": math.nan},
        {"load": math.inf},
        {"rate": 0.0},
        {"rate": math.inf},
    ],
)
def test_figures_that_cannot_be_true(bad: dict[str, object]) -> None:
    assert is_sane(ONE)
    assert not is_sane(changed(**bad))


figures = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 1e-9, 1.0, 1e5])


@given(
    one=st.builds(Speed, st.just("a:1"), st.just("m:1"), st.just(""), figures, figures, figures, figures),
    loaded=st.booleans(),
)
def test_whatever_is_kept_gives_a_time_that_can_be_compared(one: Speed, *, loaded: bool) -> None:
    if is_sane(one):
        assert 0.0 < expected(one, 0.01, loaded=loaded) < math.inf


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=4,
)
entries = st.fixed_dictionaries(dict.fromkeys(Speed.__struct_fields__, json_values) | {"model": st.just("m:1")})


speeds = st.builds(Speed, st.just("a:1"), st.just("m:1"), st.just(""), figures, figures, figures, figures)


@given(
    st.binary(max_size=80)
    | st.lists(entries, max_size=3).map(lambda found: msgspec.json.encode({"schema": 1, "speeds": found}))
    | st.lists(speeds, max_size=3).map(render_speeds)
)
def test_a_file_is_read_or_refused_and_what_is_read_is_sane(data: bytes) -> None:
    try:
        found = parse_speeds(data)
    except ValueError:
        return
    assert all(map(is_sane, found))
    assert parse_speeds(render_speeds(found)) == found


def test_the_slowest_and_the_longest_that_are_believed() -> None:
    good = Speed("n2:11434", "a:1", "", 1e9, 0.1, 10.0)
    assert good.load == 0.0
    assert is_sane(good)
    for fields in ({"rate": 0.5}, {"rate": RATE_MAX}, {"load": 86_400.0}, {"first_token": 86_400.0}, {"at": 0.0}):
        assert is_sane(msgspec.structs.replace(good, **fields))
    for name in ("rate", "load", "first_token", "at"):
        assert not is_sane(msgspec.structs.replace(good, **{name: math.nan}))
        assert not is_sane(msgspec.structs.replace(good, **{name: math.inf}))


def test_a_load_that_was_seen_again_is_the_newer_one() -> None:
    old, new = (Speed("n2:11434", "a:1", "", at, 0.1, 10.0, load) for at, load in ((1.0, 5.0), (2.0, 3.0)))
    assert merged([old], [new]) == (new,)
