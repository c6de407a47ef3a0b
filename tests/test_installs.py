"""Whatever the development, the tests or the benchmarks take from a package index is known by its hash beforehand."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("dev.lock", "fuzz.lock", "benchmarks/herd.txt", "tests/real/clients.txt", "tests/real/litellm.txt")
SCRIPTS = ("Makefile", ".ci/run")
PROGRAMS = [
    *(path for name in ("benchmarks", "demo", "tests") for path in (ROOT / name).rglob("*.py")),
]
CALL = re.compile(r"""["'](install|download)["'],""")


@pytest.mark.parametrize("name", LOCKS)
def test_every_entry_of_a_lock_has_a_hash(name: str) -> None:
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", (ROOT / name).read_text().strip())
    entries = [one for one in entries if one]
    assert entries
    assert not [one for one in entries if "==" not in one or "--hash=sha256:" not in one]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_installs_by_hashes_or_from_this_folder(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    installs = [line for line in lines if re.search(r"pip\W+(install|download)|npm (i|install|ci)\b", line)]
    assert installs
    for line in installs:
        assert "--require-hashes" in line or "npm ci" in line or line.endswith("-e ."), line


def test_a_program_that_calls_pip_does_so_by_hashes() -> None:
    """Beside each such call stand the hashes, or that no index is asked."""
    calls = 0
    for path in PROGRAMS:
        lines = path.read_text().splitlines()
        for place, line in enumerate(lines):
            if CALL.search(line) and re.search(r"\bpip\b|python", "".join(lines[max(0, place - 3) : place + 2])):
                calls += 1
                near = "".join(lines[max(0, place - 4) : place + 10])
                assert "--require-hashes" in near or "--no-index" in near, f"{path.name}: {line}"
    assert calls >= 3


def test_go_s_modules_are_known_by_their_checksums() -> None:
    assert (ROOT / "tests/real/control/go.sum").stat().st_size
    text = (ROOT / "tests/real/build.py").read_text()
    assert not re.search("GONOSUMDB|GONOSUMCHECK|GOFLAGS|GOSUMDB|GOINSECURE", text)
