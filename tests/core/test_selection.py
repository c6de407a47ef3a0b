"""The choice, as a table: who is healthy, who is current, who is wanted."""

import pytest

from ollama_locate.core.constants import AWAITED_PATIENCE, SYN_PROVISIONAL
from ollama_locate.core.selection import (
    FIRST_TIER,
    LAST_TIER,
    Contender,
    Flight,
    Local,
    Reason,
    Standing,
    choose,
    local_tier,
    may_publish,
    model_rank,
)

from .world import MISTRAL

NONE: tuple[str, ...] = ()


def one(
    key: str,
    ms: float | None = 5.0,
    tier: int = 0,
    models: tuple[str, ...] | None = MISTRAL,
    *,
    held: bool = False,
    demoted: bool = False,
) -> Contender:
    return Contender(key, tier, None if ms is None else ms / 1000, models, held, demoted)


@pytest.mark.parametrize(
    ("contenders", "current", "want", "reason"),
    [
        pytest.param([], None, None, Reason.NONE_YET, id="nobody is healthy"),
        pytest.param([one("a", 300)], None, "a", Reason.ONLY, id="the only one, however slow"),
        pytest.param([one("a", 9), one("b", 5)], None, "b", Reason.FASTEST, id="the lowest round trip"),
        pytest.param([one("a", 5), one("b", 5)], None, "a", Reason.FASTEST, id="a tie is broken by the key"),
        pytest.param([one("a", None), one("b", 300)], None, "b", Reason.FASTEST, id="unknown is worse than slow"),
        pytest.param([one("a", 300, 0), one("b", 1, 1)], None, "a", Reason.TIER, id="the user's order before speed"),
        pytest.param(
            [one("a", 1, 0, NONE), one("b", 300, 9)], None, "b", Reason.MODELS, id="models before the user's order"
        ),
        pytest.param(
            [one("a", 1, 0, NONE), one("b", 300, 9, None)],
            None,
            "b",
            Reason.MODELS,
            id="an unknown list may hold some",
        ),
        pytest.param([one("a", 30), one("b", 25)], "a", "a", Reason.KEPT, id="a little faster is not enough"),
        pytest.param([one("a", 30), one("b", 19)], "a", "b", Reason.FASTEST, id="a third and 10 ms are"),
        pytest.param([one("a", 5), one("b", 30)], "a", "a", Reason.FASTEST, id="the current one is the best anyway"),
        pytest.param([one("a", 30, 1), one("b", 40, 0)], "a", "b", Reason.TIER, id="no dead band between tiers"),
        pytest.param([one("a", 5, 0), one("b", 1, 1)], "a", "a", Reason.TIER, id="a lower tier displaces nobody"),
        pytest.param([one("a", 5, 0, NONE), one("b", 90, 1)], "a", "b", Reason.MODELS, id="it lost its models"),
        pytest.param([one("a", 9), one("b", 5)], "gone", "b", Reason.FASTEST, id="the current one is not healthy"),
        pytest.param(
            [one("a", 90), one("b", 5, held=True)],
            "a",
            "a",
            Reason.HELD_OTHERS,
            id="who failed lately must wait",
        ),
        pytest.param(
            [one("a", 90), one("b", 5, held=True), one("c", 20)], "a", "c", Reason.FASTEST, id="the next one may"
        ),
        pytest.param(
            [one("a", 90, 1), one("b", 5, 0, held=True)], "a", "a", Reason.HELD_OTHERS, id="held in a higher tier too"
        ),
        pytest.param([one("a", 90, held=True), one("b", 80)], "a", "a", Reason.KEPT, id="a held one keeps its place"),
        pytest.param([one("b", 5, held=True)], None, "b", Reason.ONLY, id="with no incumbent it is taken at once"),
        pytest.param([one("b", 5, held=True), one("c", 50)], "gone", "b", Reason.FASTEST, id="even before another one"),
        pytest.param(
            [one("a", 9, demoted=True), one("b", 90, 1)],
            "a",
            "b",
            Reason.REPORTED_OTHERS,
            id="who fails its readers goes",
        ),
        pytest.param(
            [one("a", 90, demoted=True), one("b", 95, held=True), one("c", 99, 1)],
            "a",
            "b",
            Reason.FASTEST,
            id="nobody is held down for one that fails its readers",
        ),
        pytest.param(
            [one("a", 90), one("b", 5, demoted=True), one("c", 95, demoted=True)],
            "a",
            "a",
            Reason.FASTEST,
            id="reports about others of the same class say nothing of the choice",
        ),
        pytest.param(
            [one("a", 90, 1), one("b", 5, 0, demoted=True), one("c", 95, 1)],
            "a",
            "a",
            Reason.REPORTED_OTHERS,
            id="one of the others would come first, were it not for its readers",
        ),
        pytest.param(
            [one("a", 90), one("b", 5, 0, NONE), one("c", 95)],
            "a",
            "a",
            Reason.FASTEST,
            id="some of the others list models as well",
        ),
        pytest.param(
            [one("a", 90, 0), one("b", 5, 1), one("c", 95, 0)],
            "a",
            "a",
            Reason.FASTEST,
            id="some of the others are of the same tier",
        ),
        pytest.param([one("a", None), one("b", 50)], "a", "b", Reason.FASTEST, id="a known round trip beats none"),
        pytest.param([one("a", 50), one("b", None)], "a", "a", Reason.FASTEST, id="an unknown one beats nobody"),
    ],
)
def test_the_best_is_chosen_and_the_current_keeps_its_place(
    contenders: list[Contender], current: str | None, want: str | None, reason: Reason
) -> None:
    for order in (contenders, contenders[::-1]):
        choice = choose(order, current)
        assert (choice.key, choice.reason) == (want, reason)
        assert set(choice.standings) == {contender.key for contender in contenders}


@pytest.mark.parametrize(
    ("contenders", "current", "want", "reason"),
    [
        pytest.param([one("a", 1), one("b", 90, 9, ("llama:8b",))], "a", "b", Reason.HAS_MODEL, id="who has it"),
        pytest.param(
            [one("a", 1), one("b", 90, 9, ("llama:8b",)), one("c", 90, 9, NONE)],
            "a",
            "b",
            Reason.HAS_MODEL,
            id="before those with others and those with none",
        ),
        pytest.param([one("a", 1, 0, NONE), one("b", 90, 9)], None, "b", Reason.MODELS, id="nobody: one with any"),
        pytest.param(
            [one("a", 30, 0, ("llama:8b",)), one("b", 9, 0, ("llama:8b",))], None, "b", Reason.FASTEST, id="several do"
        ),
    ],
)
def test_the_required_model_comes_first(
    contenders: list[Contender], current: str | None, want: str, reason: Reason
) -> None:
    choice = choose(contenders, current, required=(("llama:8b",),))
    assert (choice.key, choice.reason) == (want, reason)


def test_in_the_first_round_no_dead_band_protects_anyone() -> None:
    pair = [one("a", 9), one("b", 8)]
    assert choose(pair, "a").key == "a"
    assert choose(pair, "a", provisional=True).key == "b"
    pair = [asked("a", 9, answer=9.0), asked("b", 9, answer=8.9)]
    assert choose(pair, "a").key == "a"
    assert choose(pair, "a", provisional=True).key == "b"


def test_one_of_several_that_are_loaded_is_chosen_by_its_round_trip() -> None:
    trio = [asked("a", 5), asked("b", 9), asked("c", 1, cold=True)]
    assert choose(trio, None).reason is Reason.FASTEST
    assert [one.key for one in choose(trio, None).ranked] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("other", "standing"),
    [
        pytest.param(one("b", 40), Standing.SLOWER, id="slower"),
        pytest.param(one("b", None), Standing.SLOWER, id="of unknown round trip"),
        pytest.param(one("b", 25), Standing.SIMILAR, id="not clearly faster"),
        pytest.param(one("b", 1, 5), Standing.LOWER_TIER, id="later in the order"),
        pytest.param(one("b", 1, 0, NONE), Standing.NO_MODELS, id="without models"),
        pytest.param(one("b", 1, 0, held=True), Standing.HELD_DOWN, id="it failed lately"),
        pytest.param(one("b", 40, 0, held=True), Standing.SLOWER, id="it failed lately, but it is slower anyway"),
        pytest.param(one("b", 30), Standing.SLOWER, id="as far away: the key decided"),
        pytest.param(one("b", 1, demoted=True), Standing.REPORTED, id="its readers say that it fails them"),
        pytest.param(one("b", 1, 0, NONE, demoted=True), Standing.NO_MODELS, id="that does not matter without models"),
    ],
)
def test_everybody_else_has_a_reason_why_not(other: Contender, standing: Standing) -> None:
    standings = choose([one("a", 30, 1 if other.held and other.rtt == 0.001 else 0), other], "a").standings
    assert standings == {"a": Standing.CHOSEN, "b": standing}


def test_reports_about_both_are_no_reason() -> None:
    pair = [one("a", 30, demoted=True), one("b", 40, demoted=True)]
    assert choose(pair, "a").standings["b"] is Standing.SLOWER


@pytest.mark.parametrize(
    ("winner", "other", "standing"),
    [
        pytest.param(
            one("a", 1, 5), one("b", 90, 9, ("llama:8b",), held=True), Standing.HELD_DOWN, id="of a later tier"
        ),
        pytest.param(one("a", 1, 5), one("b", 90, 5, ("llama:8b",), held=True), Standing.HELD_DOWN, id="further away"),
        pytest.param(one("a", 30, 5), one("b", 90, 1, held=True), Standing.HELD_DOWN, id="of an earlier tier, further"),
    ],
)
def test_who_would_be_better_is_called_held_down(winner: Contender, other: Contender, standing: Standing) -> None:
    """What it is better by comes before what it is worse by."""
    assert choose([winner, other], "a", required=(("llama:8b",),)).standings["b"] is standing


def test_who_is_held_down_is_not_called_slower_than_an_unknown_round_trip() -> None:
    assert choose([one("a", None), one("b", 5, held=True)], "a").standings["b"] is Standing.HELD_DOWN


@pytest.mark.parametrize(
    ("models", "standing"),
    [
        pytest.param(MISTRAL, Standing.LACKS_MODEL, id="other models"),
        pytest.param(NONE, Standing.NO_MODELS, id="no model"),
        pytest.param(("llama:8b",), Standing.SLOWER, id="the model too"),
    ],
)
def test_who_lacks_the_required_model_is_told_so(models: tuple[str, ...], standing: Standing) -> None:
    pair = [one("a", 9, 0, ("llama:8b",)), one("b", 10, 0, models)]
    assert choose(pair, None, required=(("llama:8b",),)).standings["b"] is standing


@pytest.mark.parametrize(
    ("models", "required", "rank"),
    [
        pytest.param(MISTRAL, (), 0, id="nothing is required"),
        pytest.param(None, (), 0, id="nor of a list not known yet, which may hold some"),
        pytest.param(MISTRAL, (("mistral:latest",),), 0, id="it has it"),
        pytest.param(MISTRAL, (("mistral",),), 0, id="without the tag"),
        pytest.param(MISTRAL, (("llama:8b",),), 1, id="it lacks it"),
        pytest.param(None, (("mistral:latest",),), 1, id="a list not known yet has none of the required ones"),
        pytest.param(MISTRAL, (("llama:8b", "mistral:latest"),), 0, id="any one of an entry is enough"),
        pytest.param(MISTRAL, (("llama:8b",), ("mistral:latest",), ("qwen:4b",)), 2, id="each that lacks counts"),
        pytest.param(NONE, (), 1_000_000, id="no model at all"),
        pytest.param(NONE, (("mistral:latest",),), 1_000_000, id="comes last in any case"),
    ],
)
def test_models_are_counted_by_what_is_required(
    models: tuple[str, ...] | None, required: tuple[tuple[str, ...], ...], rank: int
) -> None:
    assert model_rank(models, required) == rank


def test_who_has_more_of_what_is_required_comes_first() -> None:
    required = (("llama:8b",), ("qwen:4b",))
    pair = [one("a", 1), one("b", 90, 9, ("llama:8b",))]
    choice = choose(pair, "a", required=required)
    assert (choice.key, choice.reason, choice.standings["a"]) == ("b", Reason.HAS_MORE, Standing.LACKS_MODEL)


def asked(key: str, ms: float | None, tier: int = 0, *, cold: bool = False, answer: float | None = None) -> Contender:
    return Contender(key, tier, None if ms is None else ms / 1000, MISTRAL, cold=cold, answer=answer)


@pytest.mark.parametrize(
    ("contenders", "current", "want", "reason", "other"),
    [
        pytest.param(
            [asked("a", 1, cold=True), asked("b", 90)], "a", "b", Reason.LOADED, Standing.COLD, id="loaded before cold"
        ),
        pytest.param(
            [asked("a", 1, 5, cold=True), asked("b", 90, 5)], "b", "b", Reason.LOADED, Standing.COLD, id="and stays so"
        ),
        pytest.param(
            [asked("a", 1, 1), asked("b", 90, cold=True)],
            "a",
            "b",
            Reason.TIER,
            Standing.LOWER_TIER,
            id="the order before loaded",
        ),
        pytest.param(
            [asked("a", 1, answer=9.0), asked("b", 90, answer=2.0)],
            "a",
            "b",
            Reason.SOONEST,
            Standing.LATER,
            id="a strong machine far away beats a weak one nearby",
        ),
        pytest.param(
            [asked("a", 90, answer=3.0), asked("b", 1, answer=2.5)],
            "a",
            "a",
            Reason.KEPT,
            Standing.SIMILAR,
            id="the dead band is of the answer's time as well",
        ),
        pytest.param(
            [asked("a", 1), asked("b", 90, answer=9.0)],
            "a",
            "b",
            Reason.SOONEST,
            Standing.UNMEASURED,
            id="who was measured comes before who was not",
        ),
        pytest.param(
            [asked("a", 90, answer=9.0), asked("b", 1)],
            "a",
            "a",
            Reason.SOONEST,
            Standing.UNMEASURED,
            id="who was not measured displaces nobody",
        ),
        pytest.param(
            [asked("a", 90), asked("b", 1)], "a", "b", Reason.FASTEST, Standing.SLOWER, id="no figures: round trips"
        ),
    ],
)
def test_for_one_model_and_by_speed(
    contenders: list[Contender], current: str, want: str, reason: Reason, other: Standing
) -> None:
    for order in (contenders, contenders[::-1]):
        choice = choose(order, current)
        assert (choice.key, choice.reason) == (want, reason)
        assert [standing for key, standing in choice.standings.items() if key != want] == [other]


@pytest.mark.parametrize(
    ("local", "preferred", "serves", "tier"),
    [
        pytest.param(Local.AUTO, None, True, FIRST_TIER, id="who serves its tailnet uses itself first"),
        pytest.param(Local.AUTO, None, False, LAST_TIER, id="whose Ollama is its own only, last"),
        pytest.param(Local.AUTO, 3, True, 3, id="prefer says it"),
        pytest.param(Local.FIRST, 3, False, FIRST_TIER, id="first beats prefer"),
        pytest.param(Local.LAST, 3, True, LAST_TIER, id="last beats prefer"),
    ],
)
def test_the_place_of_this_machine(local: Local, preferred: int | None, tier: int, *, serves: bool) -> None:
    assert local_tier(local, preferred, serves=serves) == tier


LEADER = one("a", 40, 3)


@pytest.mark.parametrize(
    ("leader", "flights", "want"),
    [
        pytest.param(LEADER, [], True, id="nobody else is under way"),
        pytest.param(LEADER, [Flight(4, 0.0, connected=False)], True, id="who comes later in the order cannot win"),
        pytest.param(LEADER, [Flight(3, 0.049, connected=False)], False, id="its SYN may yet be answered in time"),
        pytest.param(LEADER, [Flight(3, 0.051, connected=False)], True, id="it is out for too long to win its tier"),
        pytest.param(LEADER, [Flight(0, 0.049, connected=False)], False, id="a higher tier gets no less"),
        pytest.param(LEADER, [Flight(3, 0.149, connected=True)], False, id="its answer needs two trips more"),
        pytest.param(LEADER, [Flight(3, 0.151, connected=True)], True, id="connected, but too late"),
        pytest.param(LEADER, [Flight(3, 9, connected=False), Flight(3, 0, connected=False)], False, id="each counts"),
        pytest.param(
            LEADER,
            [Flight(FIRST_TIER, AWAITED_PATIENCE - 0.01, connected=False, awaited=True)],
            False,
            id="the one before",
        ),
        pytest.param(
            LEADER, [Flight(FIRST_TIER, AWAITED_PATIENCE, connected=False, awaited=True)], True, id="a second, no more"
        ),
        pytest.param(one("a", None, 3), [Flight(3, 0.011, connected=False)], True, id="an unknown one counts as 0"),
        pytest.param(one("a", None, 3), [Flight(3, 0.009, connected=False)], False, id="and not as less"),
        pytest.param(
            one("a", 0.1, LAST_TIER),
            [Flight(0, SYN_PROVISIONAL - 0.01, connected=False)],
            False,
            id="the last resort lets the others be called silent first",
        ),
        pytest.param(
            one("a", 0.1, LAST_TIER), [Flight(0, SYN_PROVISIONAL, connected=False)], True, id="and then comes in"
        ),
        pytest.param(
            one("a", 0.1, LAST_TIER), [Flight(LAST_TIER, 0.02, connected=False)], True, id="its like gets no more time"
        ),
    ],
)
def test_when_the_best_so_far_can_be_published(leader: Contender, flights: list[Flight], *, want: bool) -> None:
    assert may_publish(leader, flights) is want


@pytest.mark.parametrize("kind", [Standing, Reason])
def test_each_reason_has_a_word_for_programs_and_a_text_for_people(kind: type[Standing] | type[Reason]) -> None:
    for member in kind:
        assert member.word == member.name.lower()
        assert member.text
