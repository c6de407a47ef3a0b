"""The corpus of the fuzzer, once through: what it has found stays mended."""

from pathlib import Path

import pytest

from .targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
INPUTS = sorted(CORPUS.glob("*/*"))


def test_every_target_has_a_corpus_and_every_corpus_a_target() -> None:
    assert {path.parent.name for path in INPUTS} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_in_the_corpus_breaks_a_promise(name: str) -> None:
    for path in INPUTS:
        if path.parent.name == name:
            try:
                TARGETS[name].run(path.read_bytes())
            except Exception as error:
                raise AssertionError(f"{path.relative_to(CORPUS)}: {type(error).__name__}: {error}") from error
