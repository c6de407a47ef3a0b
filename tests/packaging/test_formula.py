"""The Homebrew formula: only what dev.lock pins, whole, and Ruby."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from formula import ROOT, formula, pins, resources

LOCK = (
    "a==1.0 \\\n    --hash=sha256:{0} \\\n    --hash=sha256:{1}\n"
    "b-c==2 ; sys_platform == 'win32' \\\n    --hash=sha256:{2}\n"
)
ONE, TWO, THREE = (hashlib.sha256(text).hexdigest() for text in (b"1", b"2", b"3"))
LOCKED = pins(LOCK.format(ONE, TWO, THREE))


def package(name: str = "a", version: str = "1.0", digest: str = TWO, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": version, "sdist": {"url": f"x/{name}", "hashes": {"sha256": digest}}} | more


def test_the_lock_is_read() -> None:
    assert pins(LOCK.format(ONE, TWO, THREE)) == {"a": ("1.0", {ONE, TWO}), "b-c": ("2", {THREE})}
    assert pins((ROOT / "dev.lock").read_text()).keys() > {"h11", "msgspec", "shtab"}


def test_what_another_system_needs_is_left_out() -> None:
    windows = package("b-c", "2", THREE, marker="sys_platform == 'win32'")
    mac = package(marker="sys_platform == 'darwin' and python_full_version >= '3.13'")
    assert resources({"packages": [mac, windows]}, LOCKED) == [("a", "x/a", TWO)]


def test_a_wheel_for_every_machine_comes_before_the_sources() -> None:
    wheels = [
        {"url": "x/a-1.0-cp314-cp314-macosx_11_0_arm64.whl", "hashes": {"sha256": THREE}},
        {"url": "x/a-1.0-py3-none-any.whl", "hashes": {"sha256": ONE}},
    ]
    assert resources({"packages": [package(wheels=wheels)]}, LOCKED) == [("a", "x/a-1.0-py3-none-any.whl", ONE)]
    assert resources({"packages": [package(wheels=wheels[:1])]}, LOCKED) == [("a", "x/a", TWO)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(package(digest=THREE), "a 1.0 of the index is not the one in dev.lock", id="another content"),
        pytest.param(package(version="1.1"), r"a 1\.1 .* \(1\.0\)", id="another version"),
        pytest.param(package("d"), r"d 1\.0 .* \(none\)", id="not in the lock"),
        pytest.param(
            {"name": "a", "version": "1.0", "wheels": [{"url": "a-1.0-cp314-cp314-macosx_11_0_arm64.whl"}]},
            "a: the index has neither sources nor a wheel for every machine",
            id="a wheel for one kind only",
        ),
    ],
)
def test_what_the_lock_does_not_say_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        resources({"packages": [wrong]}, LOCKED)


@pytest.mark.parametrize("homepage", ["", "https://example.org"])
def test_nothing_of_the_template_is_left_and_ruby_reads_it(homepage: str, tmp_path: Path) -> None:
    text = formula(b"sources", "file:///x.tar.gz", [("a", "x/a", TWO), ("b", "x/b", THREE)], homepage)
    assert "@" not in text.replace("python@3", "")
    assert text.count("  resource ") == 2
    assert hashlib.sha256(b"sources").hexdigest() in text
    assert ("homepage" in text) == bool(homepage)
    if shutil.which("ruby") is None:
        pytest.skip("ruby is not here")
    (tmp_path / "formula.rb").write_text(text)
    done = subprocess.run(["ruby", "-wc", tmp_path / "formula.rb"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("Syntax OK\n", "")
