"""The battery, in folders as Linux's /sys/class/power_supply has them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_locate.edge.power import on_battery

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="macOS asks IOKit, and no folder")

BATTERY = {"type": "Battery", "status": "Discharging", "scope": "System"}
OLD_BATTERY = {"type": "Battery", "status": "Discharging"}
FULL = {"type": "Battery", "status": "Full"}
MOUSE = {"type": "Battery", "status": "Discharging", "scope": "Device"}
MAINS = {"type": "Mains", "online": "1"}
UNPLUGGED = {"type": "Mains", "online": "0"}
USB = {"type": "USB", "online": "1"}


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        pytest.param({"BAT0": OLD_BATTERY, "AC": UNPLUGGED}, True, id="a laptop on its battery"),
        pytest.param({"BAT0": BATTERY}, True, id="a tablet that has no mains at all"),
        pytest.param({"BAT0": FULL, "BAT1": OLD_BATTERY, "AC": UNPLUGGED}, True, id="two batteries, one of them full"),
        pytest.param({"BAT0": FULL, "AC": MAINS}, False, id="a laptop on mains"),
        pytest.param({"BAT0": OLD_BATTERY, "AC": MAINS}, False, id="on mains that give less than is used"),
        pytest.param({"BAT0": OLD_BATTERY, "AC": UNPLUGGED, "ucsi0": USB}, False, id="on a USB charger"),
        pytest.param({"BAT0": FULL, "AC": UNPLUGGED}, False, id="a battery that says it is full"),
        pytest.param({}, False, id="a desktop"),
        pytest.param({"hidpp_battery_0": MOUSE}, False, id="a desktop with a mouse"),
        pytest.param({"hidpp_battery_0": MOUSE, "BAT0": OLD_BATTERY}, True, id="a laptop with a mouse"),
        pytest.param({"BAT0": {}}, False, id="a folder without files"),
        pytest.param({"BAT0": {"type": "\x00nonsense", "status": "Discharging"}}, False, id="a kind that is not known"),
    ],
)
def test_on_battery(supplies: dict[str, dict[str, str]], expected: bool, tmp_path: Path) -> None:  # noqa: FBT001
    for name, files in supplies.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text + "\n")
    assert on_battery(tmp_path) is expected


def no_folder(path: Path) -> Path:
    return path / "none"


def a_file(path: Path) -> Path:
    (path / "file").write_text("x")
    return path / "file"


def strange_entries(path: Path) -> Path:
    (path / "BAT0").write_text("a file where a folder was expected")
    (path / "BAT1").symlink_to(path / "gone")
    (path / "BAT2").mkdir()
    (path / "BAT2" / "type").mkdir()
    (path / "BAT3").mkdir()
    (path / "BAT3" / "type").write_bytes(b"\xff\xfe" * 1000)
    return path


@pytest.mark.parametrize("broken", [no_folder, a_file, strange_entries])
def test_where_the_system_does_not_say_it_is_not_on_battery(broken: Callable[[Path], Path], tmp_path: Path) -> None:
    assert on_battery(broken(tmp_path)) is False


def test_this_machine_is_asked_without_trouble() -> None:
    assert on_battery() in (True, False)
