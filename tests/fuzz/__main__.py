"""`python -m tests.fuzz [SECONDS] [TARGET ...]`: each target for its share of the seconds; 1 where a promise is broken.

What was learnt stays in `.fuzz/`, and the next run begins there. `--keep` instead of the seconds takes from it into the
corpus of the tree what reaches something that the corpus does not.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
WORK = ROOT / ".fuzz"
LIMITS = ("-timeout=10", "-rss_limit_mb=512", "-malloc_limit_mb=256", "-max_len=4096", "-print_final_stats=1")
"""An input may take 10 s and so much memory: a hundred times what any takes on a busy machine."""

START = 60.0
"""Seconds beside its share that a target may take to be loaded and to read its corpus."""

LARGEST = 2048
"""Bytes of an input that is kept in the tree."""


def main(words: list[str]) -> int:
    from .targets import TARGETS  # noqa: PLC0415 - this process fuzzes nothing

    keep = words[:1] == ["--keep"]
    seconds = float(words[0]) if words and not keep else 60.0
    names = words[1:] or list(TARGETS)
    at_once = min(len(names), os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(at_once) as pool:
        os.environ["TMPDIR"] = place
        if keep:
            return max(pool.map(_keep, names))
        share = max(1, round(seconds * at_once / len(names)))
        return max(pool.map(lambda name: _fuzz(name, share), names))


def _fuzz(name: str, seconds: int) -> int:
    mine = WORK / name
    mine.mkdir(parents=True, exist_ok=True)
    before = set(WORK.glob(f"{name}-*"))
    code, said = _engine(name, seconds, f"-max_total_time={seconds}", f"-artifact_prefix={WORK / name}-", mine)
    if code == 0:
        runs = next((line.split()[-1] for line in said.splitlines() if "number_of_executed_units" in line), "?")
        print(f"{name}: {runs} inputs in {seconds} s, all promises held", flush=True)
        return 0
    found = [str(path.relative_to(ROOT)) for path in set(WORK.glob(f"{name}-*")) - before]
    tail = "\n".join(line for line in said.splitlines()[-40:] if not line.startswith(("INFO", "#")))
    print(f"{name}: broke a promise with {', '.join(found) or 'no input'} (exit code {code})\n{tail}", flush=True)
    return 1


def _keep(name: str) -> int:
    for path in (WORK / name).glob("*"):
        if path.stat().st_size > LARGEST:
            path.unlink()
    least = ("-set_cover_merge=1", "-use_counters=0")
    code, said = _engine(name, START, *least, CORPUS / name, WORK / name, seeds=False)
    print(f"{name}: {sum(1 for _ in (CORPUS / name).iterdir())} inputs" if code == 0 else said[-2000:], flush=True)
    return min(code, 1)


def _engine(name: str, seconds: float, *words: str | Path, seeds: bool = True) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.fuzz.engine", name, *LIMITS, *map(str, words)]
    command += [str(CORPUS / name)] if seeds else []
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=seconds + START
        )
    except subprocess.TimeoutExpired as error:
        return 1, f"{(error.stdout or b'').decode(errors='replace')}\nit did not end in time"
    return abs(done.returncode), done.stdout.decode(errors="replace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
