"""What a generation's lines tell: figures, or what is wrong with them."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.bounds_models import BENCH_FASTER, BENCH_LEAST_TOKENS, BENCH_SLACK, BENCH_TOKENS, RATE_MAX
from ollama_locate.core.generation import Generation, Miss, Unmeasured

TOKEN = b'{"model":"m:1","created_at":"2026-01-01T00:00:00Z","response":"a","done":false}'
NS = 1_000_000_000
FINAL = {
    "model": "m:1",
    "done": True,
    "done_reason": "length",
    "context": [1, 2, 3],
    "total_duration": 3 * NS,
    "load_duration": NS // 50,
    "prompt_eval_count": 30,
    "prompt_eval_duration": NS // 5,
    "eval_count": 64,
    "eval_duration": 2 * NS,
}


def final(**changes: Any) -> bytes:
    return json.dumps({key: value for key, value in {**FINAL, **changes}.items() if value is not ...}).encode()


def went(*lines: bytes, step: float = 0.5) -> tuple[Generation, Miss | None]:
    """It was asked at 100; each line comes half a second after the one before."""
    came, miss = Generation(100.0), None
    for number, line in enumerate(lines, 1):
        miss = miss or came.feed(line, 100.0 + step * number)
    return came, miss


def ended(**changes: Any) -> Generation:
    came, miss = went(TOKEN, TOKEN, TOKEN, TOKEN, TOKEN, final(**changes))
    assert miss is None
    return came


def test_a_good_one() -> None:
    came = ended()
    assert came.done
    assert came.first_token == 0.5
    assert came.load() == 0.02
    assert came.rate(BENCH_TOKENS) == 32.0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"eval_count": ...}, Unmeasured.NO_FIGURES),
        ({"eval_duration": ...}, Unmeasured.NO_FIGURES),
        ({"eval_duration": 0}, Unmeasured.ABSURD),
        ({"eval_duration": 1}, Unmeasured.ABSURD),
        ({"eval_duration": -2 * NS}, Unmeasured.ABSURD),
        ({"eval_duration": "2s"}, Unmeasured.ABSURD),
        ({"eval_duration": True}, Unmeasured.ABSURD),
        ({"eval_duration": [1]}, Unmeasured.ABSURD),
        ({"eval_duration": 10**400}, None),
        ({"eval_duration": 10**18}, Unmeasured.ABSURD),
        ({"eval_duration": 20 * NS}, Unmeasured.ABSURD),
        ({"eval_duration": math.nan}, None),
        ({"eval_duration": math.inf}, None),
        ({"eval_count": 0}, Unmeasured.SHORT),
        ({"eval_count": 2 * BENCH_TOKENS + 1}, Unmeasured.ABSURD),
        ({"eval_count": BENCH_LEAST_TOKENS - 1}, Unmeasured.SHORT),
        ({"eval_count": True}, Unmeasured.ABSURD),
        ({"prompt_eval_count": True}, Unmeasured.ABSURD),
        ({"load_duration": True}, Unmeasured.ABSURD),
        ({"load_duration": 10 * NS}, Unmeasured.ABSURD),
        ({"eval_count": 3}, Unmeasured.SHORT),
        ({"eval_count": -64}, Unmeasured.ABSURD),
        ({"eval_count": 63.5}, Unmeasured.ABSURD),
        ({"eval_count": "64"}, Unmeasured.ABSURD),
        ({"eval_count": 10**6}, Unmeasured.ABSURD),
        ({"prompt_eval_count": -1}, Unmeasured.ABSURD),
        ({"prompt_eval_duration": "x"}, Unmeasured.ABSURD),
        ({"prompt_eval_duration": 3 * NS}, Unmeasured.ABSURD),
        ({"load_duration": -1}, Unmeasured.ABSURD),
        ({"load_duration": 90 * NS}, Unmeasured.ABSURD),
    ],
)
def test_figures_that_cannot_be_true_are_named(changes: dict[str, Any], why: Unmeasured | None) -> None:
    came, miss = went(*[TOKEN] * 5, final(**changes))
    if why is None:
        # No JSON, or none that can be read.
        assert miss is not None or isinstance(came.rate(BENCH_TOKENS), Miss)
        return
    found = came.rate(BENCH_TOKENS)
    assert miss is None
    assert isinstance(found, Miss)
    assert found.why is why


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        ({"eval_count": 2 * BENCH_TOKENS}, BENCH_TOKENS),
        ({"eval_count": BENCH_LEAST_TOKENS}, BENCH_LEAST_TOKENS / 2),
        ({"prompt_eval_duration": ...}, 32),
        ({"load_duration": 0}, 32),
    ],
)
def test_figures_that_are_just_possible_are_believed(changes: dict[str, Any], rate: float) -> None:
    assert ended(**changes).rate(BENCH_TOKENS) == rate


@pytest.mark.parametrize("field", ["load_duration", "prompt_eval_count", "prompt_eval_duration"])
def test_what_ollama_leaves_out_as_it_is_zero(field: str) -> None:
    assert ended(**{field: ...}).rate(BENCH_TOKENS) == 32.0


def test_a_load_that_nobody_speaks_of_is_none() -> None:
    assert ended(load_duration=...).load() == 0.0


@pytest.mark.parametrize(
    ("line", "why", "detail"),
    [
        (b"<html>", Unmeasured.NOT_OLLAMA, "no line of an answer"),
        (b"[1]", Unmeasured.NOT_OLLAMA, "no line of an answer"),
        (b"\xff", Unmeasured.NOT_OLLAMA, "no line of an answer"),
        (b"[" * 60_000, Unmeasured.NOT_OLLAMA, "no line of an answer"),
        (b'{"error":"out of\\u001b[2J memory"}', Unmeasured.FAILED, "out of [2J memory"),
        (b'{"error":{"code":1}}', Unmeasured.FAILED, "an error without words"),
        (b'{"error":"model \'m:1\' not found"}', Unmeasured.NOT_FOUND, ""),
        (b'{"error":"\\"m:1\\" does not support generate"}', Unmeasured.EMBEDS, ""),
    ],
)
def test_a_line_that_is_none(line: bytes, why: Unmeasured, detail: str) -> None:
    _, miss = went(TOKEN, line)
    assert miss == Miss(why, detail)
    assert miss.text == (f"{why.text} ({detail})" if detail else why.text)


def test_empty_lines_and_what_follows_the_last_one_say_nothing() -> None:
    came, miss = went(b"", b"  ", TOKEN, final(eval_duration=NS), b"<html>", final())
    assert miss is None
    assert came.first_token == 1.5
    assert came.rate(BENCH_TOKENS) == 64.0


def test_before_the_end_nothing_is_known() -> None:
    came, _ = went(TOKEN)
    assert not came.done
    assert came.load() == came.rate(BENCH_TOKENS) == Miss(Unmeasured.ENDED)


def test_the_end_alone_has_no_first_token() -> None:
    came, _ = went(final(), step=3.0)
    assert came.first_token is None


values = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
)
lines = st.fixed_dictionaries(
    {}, optional={name: values for name in (*FINAL, "error", "response") if name not in ("model", "context")}
)


@given(st.lists(lines.map(lambda one: json.dumps(one).encode()) | st.binary(max_size=40), max_size=6), st.floats(0, 99))
def test_whatever_comes_is_a_figure_that_can_be_true_or_has_a_reason(raw: list[bytes], step: float) -> None:
    came, miss = went(*raw, step=step)
    if miss is not None:
        assert len(miss.text.splitlines()) == 1
        assert "\x1b" not in miss.text
        return
    for found, most in ((came.rate(BENCH_TOKENS), RATE_MAX), (came.load(), 1000.0)):
        if isinstance(found, Miss):
            assert isinstance(found.why, Unmeasured)
        else:
            assert 0.0 <= found <= most


@given(st.integers(16, 128), st.integers(1, 3 * NS))
def test_the_rate_is_ollamas_own(count: int, took: int) -> None:
    found = ended(eval_count=count, eval_duration=took).rate(BENCH_TOKENS)
    here = 2.0  # seconds from the first token to the end, as the lines of `ended` come
    if count * NS / took > RATE_MAX or took / NS * BENCH_FASTER + BENCH_SLACK < here:
        assert isinstance(found, Miss)
    else:
        assert found == pytest.approx(count * NS / took)
