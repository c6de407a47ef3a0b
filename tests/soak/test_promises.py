"""The judge of the soak: it tells right from wrong, so that an hour without a breach means something."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_locate.core.snapshot import DEFAULT_URL
from tests.snapshots import alive, publish, snapshot
from tests.standins.tailscale import node

from .daemon import Sample
from .promises import BrokenError, Published, judge, read
from .report import grown
from .truth import Tailnet

GPU, BOB, DEN = "http://100.64.0.2:11434", "http://100.64.0.9:11434", "http://192.168.7.7:11434"


def ask(tailnet: Tailnet) -> None:
    """As the daemon does; the clock of the note counts in hundredths."""
    time.sleep(0.02)
    subprocess.run([tailnet.command, "status", "--json"], check=True, stdout=subprocess.DEVNULL)


def as_it_was(_: Tailnet) -> None:
    pass


def gpu_hangs(tailnet: Tailnet) -> None:
    tailnet.peers[0].behaviour = "hangs"


def gpu_is_slow(tailnet: Tailnet) -> None:
    tailnet.peers[0].behaviour = "slow"


def gpu_is_bobs(tailnet: Tailnet) -> None:
    tailnet.peers[0].mine = False
    tailnet.show()


def gpu_is_denied(tailnet: Tailnet) -> None:
    tailnet.denied.add("gpu-box")


def nobody_answers(tailnet: Tailnet) -> None:
    for one in tailnet.machines:
        one.runs = False


def gpu_is_bobs_while_the_command_lies(tailnet: Tailnet) -> None:
    tailnet.says("exit 1")
    gpu_is_bobs(tailnet)


def gpu_moves_and_nobody_asks_before_tailscale_is_down(tailnet: Tailnet) -> None:
    tailnet.peers[0].address = "100.64.7.2"
    tailnet.show()
    away(tailnet)


def gpu_moves_and_tailscale_is_asked_and_then_down(tailnet: Tailnet) -> None:
    tailnet.peers[0].address = "100.64.7.2"
    tailnet.show()
    ask(tailnet)
    away(tailnet)


def away(tailnet: Tailnet) -> None:
    tailnet.away = True
    tailnet.show()


def all_down(happened: Callable[[Tailnet], None]) -> Callable[[Tailnet], None]:
    def both(tailnet: Tailnet) -> None:
        happened(tailnet)
        nobody_answers(tailnet)

    return both


@pytest.mark.parametrize(
    ("happened", "found", "says"),
    [
        (as_it_was, (GPU, "fresh"), ""),
        (as_it_was, (BOB, "fresh"), "nobody trusts it"),
        (as_it_was, (BOB, "stale"), "though"),
        (as_it_was, (GPU, "stale"), "though"),
        (as_it_was, (DEFAULT_URL, "none"), "though"),
        (gpu_hangs, (GPU, "fresh"), "does not answer"),
        (gpu_is_slow, (GPU, "fresh"), ""),
        (gpu_is_bobs, (GPU, "fresh"), "nobody trusts it"),
        (gpu_is_denied, (GPU, "fresh"), "nobody trusts it"),
        (nobody_answers, (GPU, "stale"), ""),
        (nobody_answers, (DEFAULT_URL, "none"), ""),
        (nobody_answers, (BOB, "stale"), "nobody trusts it"),
        (all_down(gpu_moves_and_nobody_asks_before_tailscale_is_down), (GPU, "stale"), ""),
        (all_down(gpu_moves_and_tailscale_is_asked_and_then_down), (GPU, "stale"), "nobody trusts it"),
        (gpu_is_bobs_while_the_command_lies, (GPU, "fresh"), ""),
        (gpu_is_bobs_while_the_command_lies, (BOB, "fresh"), "nobody trusts it"),
        (gpu_moves_and_nobody_asks_before_tailscale_is_down, (DEN, "fresh"), ""),
        (gpu_moves_and_nobody_asks_before_tailscale_is_down, (GPU, "fresh"), "nobody trusts it"),
        (away, (DEN, "fresh"), ""),
        (away, (GPU, "fresh"), "nobody trusts it"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_right_and_wrong(
    tmp_path: Path, happened: Callable[[Tailnet], None], found: tuple[str, str], says: str
) -> None:
    tailnet = Tailnet(tmp_path)
    for one in (*tailnet.peers, tailnet.bob, tailnet.den):
        one.runs = True
    tailnet.here.runs = False
    tailnet.says()
    ask(tailnet)
    happened(tailnet)
    wrong = judge(Published(*found, age=1.0), tailnet)
    assert says in wrong
    assert bool(says) == bool(wrong)


def test_a_heart_that_does_not_beat_is_wrong(tmp_path: Path) -> None:
    assert "has not beaten" in judge(Published(GPU, "fresh", age=101.0), Tailnet(tmp_path))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("endpoint", b"http://100.64.0.2:11434"),
        ("endpoint", b"http://$(reboot):1\n"),
        ("verdict", b"sure\n"),
        ("env", b"OLLAMA_ENDPOINT=a b\n"),
        ("state.json", b'{"schema":1}\n'),
        ("env.sh", b"half a lin"),
    ],
)
def test_a_file_that_is_not_whole_or_not_safe_is_a_breach(tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / "state"
    publish(folder, snapshot({"n2:11434": alive(0.01, "a:1")}, node("gpu-box", 2))).close()
    assert read(folder)[:2] == (GPU, "fresh")
    (folder / name).write_bytes(content)
    with pytest.raises(BrokenError, match=name):
        read(folder)
    (folder / name).unlink()
    with pytest.raises(BrokenError, match="No such file"):
        read(folder)


def sample(uss: float, descriptors: int = 12, requests: int = 0) -> Sample:
    return Sample(uss + 1, uss, descriptors, threads=5, requests=requests, history=20_000, cpu=1.0)


@pytest.mark.parametrize(
    ("rests", "says"),
    [
        ([sample(30), sample(40), sample(41)], []),
        ([sample(30), sample(40), sample(45)], ["45 MiB of its own, 40 at the second rest"]),
        ([sample(30), sample(40), sample(40, descriptors=40)], ["40 descriptors, 12 at the second rest"]),
        ([sample(30), sample(30, requests=3)], ["3 requests were not read"]),
        ([], ["it was never measured"]),
    ],
)
def test_what_grows_is_a_breach(rests: list[Sample], says: list[str]) -> None:
    assert grown([(float(minute), one) for minute, one in enumerate(rests)]) == says
