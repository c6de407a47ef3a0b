"""Reports of readers about one server, as rows of reports and probes that passed."""

import pytest

from ollama_locate.core.complaints import Complaints, passed, reported
from ollama_locate.core.constants import DEMOTED_FIRST, DEMOTED_MAX

R, P = "report", "passed"


def play(*events: tuple[float, str]) -> Complaints:
    complaints = Complaints()
    for when, what in events:
        complaints = reported(complaints, when) if what == R else passed(complaints, when)
    return complaints


@pytest.mark.parametrize(
    ("events", "until"),
    [
        pytest.param([], None, id="nobody complains"),
        pytest.param([(0, R), (1, P)], None, id="one report is not enough"),
        pytest.param([(0, R), (20, R), (21, P)], 321.0, id="two within a minute are, when its probe passes"),
        pytest.param([(0, R), (20, R)], None, id="not before: it may be down, and fall"),
        pytest.param([(0, R), (61, R), (62, P)], None, id="two that are more than a minute apart are not"),
        pytest.param([(0, R), (60, R), (60.5, P)], None, id="nor a whole one"),
        pytest.param([(0, R), (1, R), (2, P)], 302.0, id="a second is apart enough"),
        pytest.param([(0, R), (20, R), (60, P)], None, id="the first one has grown old when it is asked"),
        pytest.param([(0, R), (5, R), (5.5, R), (6, P)], 306.0, id="the gap is to the one before"),
        pytest.param([(0, R), (61, P), (62, R), (63, P)], None, id="old ones are forgotten when it is asked"),
        pytest.param([(0, R), (0.5, R), (0.9, R), (1, P)], None, id="a flood within a second is one report"),
        pytest.param([(0, R), (1.5, R), (2, P), (3, P)], 302.0, id="a probe that passes later changes nothing"),
        pytest.param([(0, R), (20, R), (90, P)], None, id="reports grow old while it is not asked"),
    ],
)
def test_when_it_ranks_below_the_others(events: list[tuple[float, str]], until: float | None) -> None:
    found = play(*events)
    assert (found.until if found.until > 0 else None) == until
    assert until is None or (found.demoted(until - 0.1) and not found.demoted(until))


def test_each_spell_is_twice_as_long_until_it_was_well_for_an_hour() -> None:
    spells, now, complaints = [], 0.0, Complaints()
    for _ in range(6):
        complaints = passed(reported(reported(complaints, now), now + 2), now + 3)
        spells.append(complaints.until - now - 3)
        now = complaints.until + 60
    assert spells == [DEMOTED_FIRST, 600.0, 1200.0, 2400.0, DEMOTED_MAX, DEMOTED_MAX]
    now = complaints.until + 3597
    assert passed(reported(reported(complaints, now), now + 2), now + 3).until == now + 3 + DEMOTED_MAX
    now = complaints.until + 3601
    assert passed(reported(reported(complaints, now), now + 2), now + 3).until == now + 3 + DEMOTED_FIRST
