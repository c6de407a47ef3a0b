"""The best server for each model."""

import pytest

from ollama_locate.core import selection
from ollama_locate.core.by_model import ByModel
from ollama_locate.core.selection import Contender


def one(key: str, ms: float, *models: str, tier: int = 0, held: bool = False, demoted: bool = False) -> Contender:
    return Contender(key, tier, ms / 1000, models, held, demoted)


FAST, SLOW = one("fast", 1, "m:1", "f:1"), one("slow", 90, "m:1", "s:1")


@pytest.mark.parametrize(
    ("contenders", "loaded", "want"),
    [
        pytest.param([FAST, SLOW], {}, {"m:1": "fast", "f:1": "fast", "s:1": "slow"}, id="the lowest round trip"),
        pytest.param([FAST, SLOW], {"slow": {"m:1"}}, {"m:1": "slow", "f:1": "fast", "s:1": "slow"}, id="loaded first"),
        pytest.param([FAST, SLOW], {"slow": {"s:1"}}, {"m:1": "fast", "f:1": "fast", "s:1": "slow"}, id="this model"),
        pytest.param(
            [one("fast", 1, "m:1", tier=2), one("near", 90, "m:1", tier=1)],
            {"fast": {"m:1"}},
            {"m:1": "near"},
            id="the order before loaded",
        ),
        pytest.param(
            [one("fast", 1, "m:1", demoted=True), SLOW], {}, {"m:1": "slow", "s:1": "slow"}, id="reports before all"
        ),
        pytest.param([one("a", 1)], {}, {}, id="no models"),
        pytest.param([Contender("a", 0, 0.1, None)], {}, {}, id="a list not known yet"),
        pytest.param([], {}, {}, id="nobody"),
    ],
)
def test_the_best(contenders: list[Contender], loaded: dict[str, set[str]], want: dict[str, str]) -> None:
    sets = {key: frozenset(names) for key, names in loaded.items()}
    assert ByModel().choose(selection.rank(contenders), sets) == want


def test_whose_turn_it_was_keeps_its_place_within_the_dead_band() -> None:
    best = ByModel()
    assert best.choose([one("a", 30, "m:1"), one("b", 40, "m:1")], {}) == {"m:1": "a"}
    assert best.choose([one("b", 25, "m:1"), one("a", 30, "m:1")], {}) == {"m:1": "a"}
    assert best.choose([one("b", 5, "m:1"), one("a", 30, "m:1")], {}) == {"m:1": "b"}


def test_who_failed_lately_displaces_nobody() -> None:
    best = ByModel()
    best.choose([SLOW, one("x", 99, "m:1")], {})
    assert best.choose([one("back", 1, "m:1", held=True), SLOW], {})["m:1"] == "slow"


def test_the_pinned_one_is_taken_where_it_has_the_model() -> None:
    found = ByModel().choose([FAST, SLOW], {"fast": frozenset({"m:1"})}, pinned="slow")
    assert found == {"m:1": "slow", "f:1": "fast", "s:1": "slow"}


def test_a_model_that_nobody_else_has_stays_with_who_is_in_doubt() -> None:
    doubtful = [one("ill", 1, "m:1", "only:1"), one("worse", 2, "only:1")]
    found = ByModel().choose([FAST], {}, doubtful=doubtful)
    assert found == {"m:1": "fast", "f:1": "fast", "only:1": "ill"}


def test_in_the_dead_band_each_model_keeps_its_own_place() -> None:
    best = ByModel()
    best.choose([one("a", 30, "m:1"), one("b", 40, "m:1", "n:1")], {})
    both = [one("b", 25, "m:1", "n:1"), one("a", 30, "m:1", "n:1")]
    assert best.choose(both, {}) == {"m:1": "a", "n:1": "b"}


def test_of_two_who_were_reported_the_better_one_is_taken() -> None:
    both = [one("a", 1, "m:1", demoted=True), one("b", 90, "m:1", demoted=True)]
    assert ByModel().choose(both, {}) == {"m:1": "a"}


def test_by_speed_the_time_of_an_answer_counts() -> None:
    best = ByModel()
    answers = {"m:1": {"fast": 9.0, "slow": 2.0}}
    assert best.choose([FAST, SLOW], {}, answers=answers)["m:1"] == "slow"


def test_models_that_stand_alike_are_decided_alike() -> None:
    names = [f"m{number}:1" for number in range(500)]
    found = ByModel().choose([one("a", 1, *names), one("b", 90, *names)], {"b": frozenset({"m7:1"})})
    assert {name for name, key in found.items() if key == "b"} == {"m7:1"}


def test_in_the_first_round_no_dead_band_protects_anyone() -> None:
    best = ByModel()
    best.choose([one("a", 12, "m:1"), one("b", 90, "m:1")], {})
    assert best.choose([one("b", 9, "m:1"), one("a", 12, "m:1")], {}, provisional=True) == {"m:1": "b"}


def test_who_was_pinned_is_not_protected_afterwards() -> None:
    best, pair = ByModel(), [one("a", 5, "m:1"), one("b", 9, "m:1")]
    assert best.choose(pair, {}, pinned="b") == {"m:1": "b"}
    assert best.choose(pair, {}) == {"m:1": "a"}


def test_whose_turn_it_was_in_an_earlier_run_keeps_its_place() -> None:
    best = ByModel()
    best.recall({"m:1": "b"})
    assert best.choose([one("a", 5, "m:1"), one("b", 9, "m:1")], {}) == {"m:1": "b"}


def test_those_that_keep_their_place_do_so_together() -> None:
    names, best = [f"m{number}:1" for number in range(500)], ByModel()
    best.choose([one("a", 12, *names), one("b", 90, *names)], {})
    found = best.choose([one("b", 8, *names), one("a", 12, *names)], {"b": frozenset({"m7:1"})})
    assert {name for name, key in found.items() if key == "b"} == {"m7:1"}
