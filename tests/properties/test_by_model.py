"""Whatever is known, and whoever was the best before: each model's server is the one that the choice names for it."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core import selection
from ollama_locate.core.by_model import ByModel, for_model
from ollama_locate.core.selection import Contender

KEYS = ("a", "b", "c", "d")
MODELS = ("m:1", "n:1", "o:1")

some_models = st.sets(st.sampled_from(MODELS)).map(lambda names: tuple(sorted(names)))


class Moment(NamedTuple):
    """Who is healthy, what is loaded where, who is pinned, how long a typical answer takes where."""

    contenders: list[Contender]
    loaded: dict[str, frozenset[str]]
    pinned: str | None
    answers: dict[str, dict[str, float]]


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    keys, by_speed = draw(st.lists(st.sampled_from(KEYS), unique=True)), draw(st.booleans())
    seconds = st.sampled_from([2.0, 2.5, 9.0])
    contenders = [
        Contender(
            key,
            draw(st.sampled_from([0, 1])),
            draw(st.sampled_from([None, 0.005, 0.011, 0.030])),
            draw(some_models),
            held=draw(st.booleans()),
            demoted=draw(st.booleans()),
            answer=draw(st.none() | seconds) if by_speed else None,
        )
        for key in keys
    ]
    loaded = {key: frozenset(draw(some_models)) for key in keys}
    measured = st.dictionaries(st.sampled_from(MODELS), st.dictionaries(st.sampled_from(KEYS), seconds))
    answers = draw(measured) if by_speed else {}
    return Moment(selection.rank(contenders), loaded, draw(st.sampled_from([None, *KEYS])), answers)


@given(st.lists(moments(), max_size=4), st.booleans())
def test_each_model_is_where_the_choice_puts_it(past: list[Moment], provisional: bool) -> None:  # noqa: FBT001 - hypothesis
    best, before, held = ByModel(), dict[str, str](), None
    for contenders, loaded, pinned, answers in past:
        found = best.choose(contenders, loaded, pinned=pinned, provisional=provisional, answers=answers)
        if pinned != held and held is not None:
            before = {model: key for model, key in before.items() if key != held}
        held = pinned
        want = {}
        for model in MODELS:
            having = [one for one in contenders if model in (one.models or ())]
            warm = frozenset(one.key for one in having if model in loaded[one.key])
            if having:
                stand = for_model(having, warm, answers.get(model, {}))
                chosen = selection.choose(stand, before.get(model), provisional=provisional).key
                want[model] = pinned if any(one.key == pinned for one in having) else chosen
        assert found == want
        before = found
