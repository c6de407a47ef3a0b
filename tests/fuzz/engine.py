"""One target under Atheris (libFuzzer for Python): `python -m tests.fuzz.engine TARGET [FLAG ...] FOLDER ...`.

What is instrumented is our own code and the parsers in Python below it; msgspec is C, hence the documents' mutator.
"""

import random
import shlex
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["ollama_locate", "h11", "tomllib"]):
    from tests.fuzz.mutate import documents
    from tests.fuzz.targets import TARGETS

BYTES = 0.15
"""Of the new inputs of documents so many are changed by the byte all the same."""


def main(name: str, *flags: str) -> None:
    target = TARGETS[name]
    more = {"custom_mutator": _mutate} if target.documents else {}
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as words:
        words.writelines(f'"{word}"\n' for word in target.words)
        words.flush()
        known = [f"-dict={words.name}"] if target.words else []  # libFuzzer takes an empty one for a mistake
        # What libFuzzer gives to a shell when it merges: this program once more.
        again = f"{shlex.quote(sys.executable)} -m tests.fuzz.engine {name}"
        atheris.Setup([again, *known, *flags], target.run, **more)
        atheris.Fuzz()


def _mutate(data: bytes, most: int, seed: int) -> bytes:
    changed = documents(data, most, seed) if random.Random(seed).random() > BYTES else None
    return changed if changed is not None else bytes(atheris.Mutate(data, min(most, len(data) + 64)))


if __name__ == "__main__":
    main(*sys.argv[1:])
