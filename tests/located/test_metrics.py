"""The metrics of the real daemon: there while it lives, true, and gone afterwards."""

import shutil
import signal
import time
from pathlib import Path

import pytest

from ollama_locate.core.bounds import HEARTBEAT_DEAD
from tests.located.harness import Lab, until

GPU = "http://100.64.0.2:11434"
NAS = "http://100.64.0.3:11434"


@pytest.fixture
def file(lab: Lab) -> Path:
    lab.machine("gpu", 2, 0.01)
    lab.machine("nas", 3, 0.05)
    (lab.folder / "collector").mkdir()
    path = lab.folder / "collector/ollama_locate.prom"
    lab.configure(f'[metrics]\ntextfile = "{path}"')
    return path


def samples(file: Path) -> dict[str, float]:
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def has(file: Path, name: str, value: float = 1) -> bool:
    return samples(file).get(f"ollama_locate_{name}") == value


def test_they_follow_and_end_with_the_daemon(lab: Lab, file: Path) -> None:
    lab.start()
    lab.until_decided("gpu")
    until(lambda: f'endpoint="{GPU}"' in "".join(samples(file)), "the endpoint is there")
    lab.kill("gpu")
    until(lambda: f'endpoint="{NAS}"' in "".join(samples(file)), "a switch is written at once")
    assert has(file, "switches_total")
    assert has(file, 'decision_state{state="fresh"}')
    assert abs(time.time() - samples(file)["ollama_locate_heartbeat_timestamp_seconds"]) < HEARTBEAT_DEAD
    assert file.stat().st_mode & 0o777 == 0o644
    assert lab.stop()[0] == 0
    assert not file.exists()


def test_the_config_moves_them_and_turns_them_off(lab: Lab, file: Path) -> None:
    lab.start()
    until(file.exists, "the file is there")
    other = file.with_name("other.prom")
    lab.configure(f'[metrics]\ntextfile = "{other}"')
    lab.daemons[-1].send_signal(signal.SIGHUP)
    until(lambda: other.exists() and not file.exists(), "it is where the config says, and only there")
    lab.configure("")
    lab.daemons[-1].send_signal(signal.SIGHUP)
    until(lambda: not other.exists(), "it is gone")


def test_what_is_wrong_is_said_once_shown_and_mended(lab: Lab, file: Path) -> None:
    shutil.rmtree(file.parent)
    lab.start()
    lab.until_decided("gpu")
    problem = f"metrics.textfile: cannot use the folder {file.parent}: No such file or directory"
    until(lambda: lab.snapshot()["problems"] == [problem], "it is a problem of the snapshot")
    lab.kill("gpu")
    lab.until_decided("nas")
    assert lab.log.count(problem) == 1
    file.parent.mkdir()
    lab.revive("gpu", 2)
    until(file.exists, "it is tried again")
    until(lambda: lab.snapshot()["problems"] == [], "nothing is wrong any more")
