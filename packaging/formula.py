"""`python packaging/formula.py SDIST [URL [HOMEPAGE]]`: the Homebrew formula of a release, printed.

The dependencies are those that dev.lock pins. Where their sources lie is asked of the package index, by
`uv pip compile`; what it says of their content must be what dev.lock says.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Final

from packaging.markers import Marker

ROOT: Final = Path(__file__).resolve().parents[1]
TEMPLATE: Final = ROOT / "packaging" / "homebrew" / "ollama-locate.rb"
_PIN: Final = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[^ ;\\]+)")
_UNIVERSAL: Final = re.compile(r"[.-]py3-none-any\.whl$")
"""What Homebrew installs as it is; it unpacks everything else."""
_BUILD: Final = "hatchling"
"""What our own sources are built with. The other thing that needs is the dependencies."""
_SYSTEMS: Final = (
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
)
_PYTHON: Final = {"python_version": "3.14", "python_full_version": "3.14.0"}
"""The formula's."""


def pins(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Of each package in the lock: its version, and the SHA-256 of each of its files."""
    found: dict[str, tuple[str, set[str]]] = {}
    for block in re.split(r"\n(?=\S)", lock):
        if match := _PIN.match(block):
            found[match["name"]] = match["version"], set(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
    return found


def resources(pylock: dict[str, Any], locked: dict[str, tuple[str, set[str]]]) -> list[tuple[str, str, str]]:
    """Name, URL and SHA-256 of a file of every package that is needed on macOS or Linux.

    That is the wheel, where one is for every machine, else the sources. To build all from sources takes build
    backends that exist as wheels only. Raises ValueError where the index and the lock do not agree.
    """
    found = []
    for package in pylock["packages"]:
        name, marker = package["name"], package.get("marker")
        if marker and not any(Marker(marker).evaluate(one | _PYTHON) for one in _SYSTEMS):
            continue
        universal = [one for one in package.get("wheels", ()) if _UNIVERSAL.search(one["url"])]
        file = universal[0] if universal else package.get("sdist")
        if file is None:
            raise ValueError(f"{name}: the index has neither sources nor a wheel for every machine")
        version, hashes = locked.get(name, ("none", set()))
        digest = file["hashes"]["sha256"]
        if version != package["version"] or digest not in hashes:
            raise ValueError(f"{name} {package['version']} of the index is not the one in dev.lock ({version})")
        found.append((name, file["url"], digest))
    return found


def ask(locked: dict[str, tuple[str, set[str]]]) -> dict[str, Any]:
    """What the index has of the run-time dependencies and the build backend, in the versions of the lock (PEP 751)."""
    with tempfile.TemporaryDirectory() as folder:
        constraints, out = Path(folder) / "constraints.txt", Path(folder) / "pylock.toml"
        backend = Path(folder) / "build.txt"
        backend.write_text(_BUILD)
        constraints.write_text("".join(f"{name}=={version}\n" for name, (version, _) in locked.items()))
        words = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--no-header"]
        words += [
            "--constraint",
            str(constraints),
            "--output-file",
            str(out),
            str(ROOT / "pyproject.toml"),
            str(backend),
        ]
        subprocess.run([*words, "--format", "pylock.toml"], check=True)  # noqa: S603 - uv, constant words
        return tomllib.loads(out.read_text())


def formula(sdist: bytes, url: str, needed: list[tuple[str, str, str]], homepage: str) -> str:
    """The template, filled in."""
    blocks = [
        f'resource "{name}" do\n    url "{place}"\n    sha256 "{digest}"\n  end' for name, place, digest in needed
    ]
    text = TEMPLATE.read_text().partition("\n")[2]
    if not homepage:
        text = text.replace('  homepage "@HOMEPAGE@"\n', "")
    for mark, value in (
        ("# @RESOURCES@", "\n\n  ".join(blocks)),
        ("@URL@", url),
        ("@SHA256@", hashlib.sha256(sdist).hexdigest()),
        ("@HOMEPAGE@", homepage),
    ):
        text = text.replace(mark, value)
    return text


def main(words: list[str]) -> int:
    """Print it; without a URL it is for the file here, as `brew install --build-from-source ./FILE` takes it."""
    if not 1 <= len(words) <= 3:  # noqa: PLR2004 - SDIST, URL, HOMEPAGE
        sys.stderr.write(f"{__doc__}\n")
        return 2
    sdist = Path(words[0]).resolve()
    locked = pins((ROOT / "dev.lock").read_text())
    url, homepage, *_ = [*words[1:], *[""] * 2]
    needed = resources(ask(locked), locked)
    sys.stdout.write(formula(sdist.read_bytes(), url or sdist.as_uri(), needed, homepage))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
