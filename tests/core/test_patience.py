"""How long a probe waits for an answer: the history of answers, then the wait."""

import pytest

from ollama_locate.core.constants import ANSWER_MAX, ANSWER_MIN
from ollama_locate.core.patience import AnswerTime, answer_wait, is_busy, measured, missed

FIRST = 3.0
NO = None


def after(*answers: float | None) -> AnswerTime:
    """Each is the seconds an answer took; None: it did not come in time."""
    time = AnswerTime()
    for answer in answers:
        time = missed(time) if answer is None else measured(time, answer)
    return time


@pytest.mark.parametrize(
    ("history", "wait"),
    [
        pytest.param((), FIRST, id="nothing is known: as the config says"),
        pytest.param((NO,), 6.0, id="and twice that after a miss"),
        pytest.param((0.005,), 1.0, id="a quick one: a second, the least"),
        pytest.param((0.4,), 1.2, id="the first sample counts thrice: itself, and twice as variation"),
        pytest.param((0.4, 0.4), 1.0, id="the same again: less variation, 0.4 + 4 x 0.15"),
        pytest.param((0.005, 3.0), 3.3945, id="a busy spell widens it at once"),
        pytest.param((0.005, NO), 2.0, id="a miss doubles it"),
        pytest.param((0.005, NO, NO), 4.0, id="and again"),
        pytest.param((0.005, *[NO] * 99), ANSWER_MAX, id="up to the longest"),
        pytest.param((0.005, NO, NO, 0.005), 1.0, id="an answer ends the doubling"),
        pytest.param((0.005, *[3.0] * 40, *[0.005] * 60), 1.0, id="and narrows when the spell is over"),
    ],
)
def test_the_wait_for_an_answer(history: tuple[float | None, ...], wait: float) -> None:
    assert answer_wait(after(*history), FIRST) == pytest.approx(wait, rel=0.01)


def test_who_answers_ever_more_slowly_is_waited_for() -> None:
    """A machine under load: each answer takes a third longer than the last, and none is missed."""
    time, answer = after(0.2), 0.2
    while answer < ANSWER_MAX / 2:
        assert answer < answer_wait(time, FIRST)
        time, answer = measured(time, answer), answer * 1.33


def test_the_average_is_the_one_of_rfc_6298() -> None:
    found = after(0.8, 0.4)
    assert found.smoothed == pytest.approx(0.75)
    assert found.variation == pytest.approx(0.4)
    assert AnswerTime() == AnswerTime(None, 0.0, 0)


@pytest.mark.parametrize(
    ("history", "busy"),
    [
        pytest.param((), False, id="never asked"),
        pytest.param((0.01,), False, id="quick"),
        pytest.param((2.0,), True, id="slow"),
        pytest.param((ANSWER_MIN / 2,), True, id="half of the least wait is slow"),
        pytest.param((ANSWER_MIN / 2 - 0.01,), False, id="less is not"),
        pytest.param((0.01, NO), True, id="its answer has not come"),
    ],
)
def test_busy_is_said(history: tuple[float | None, ...], *, busy: bool) -> None:
    assert is_busy(after(*history)) is busy
