"""`python packaging/installs.py DIST PYTHON...`: installs what is in DIST with each Python, and runs it.

By pip and by uv, from the wheel and from the sdist, each into an environment of its own that has nothing else.
"""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from findings import FailedError, NotTriedError, Table, ran

SUPPORTED: Final = ("3.11", "3.12", "3.13", "3.14")
_SHARED: Final = (
    "share/man/man1/ollama-locate.1",
    "share/man/man5/ollama-locate.toml.5",
    "share/man/man8/ollama-located.8",
    "share/bash-completion/completions/ollama-locate",
    "share/zsh/site-functions/_ollama-locate",
    "share/fish/vendor_completions.d/ollama-locate.fish",
)
_SERVICE: Final = "from ollama_locate.edge.templates import service; service('systemd/system/ollama-located.service')"


def found(version: str) -> Path | None:
    """A Python of this version that starts: on PATH, of pyenv, or one that uv knows of."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(f"python{version}")
    places = [Path(on_path)] if on_path else []
    places += sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
    places += sorted(Path.home().glob(f".local/share/uv/python/cpython-{version}.*/bin/python{version}"))
    for place in places:
        try:
            said = ran(place, "-c", "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])")
        except FailedError:
            continue  # pyenv's stand-in for a version that is not switched on, or a Python without venv
        if said.strip() == version:
            return place
    return None


def install(python: Path, what: Path, how: str, folder: Path, uv: Path | None) -> str:
    """Install one file in a new folder, run both programs, and remove it all again; says which Python that was."""
    if how.startswith("uv") and uv is None:
        raise NotTriedError("uv is not here")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        return run_programs(_install(python, what, how, folder, str(uv)), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _install(python: Path, what: Path, how: str, folder: Path, uv: str) -> Path:
    """The environment's folder."""
    if how == "uv tool":
        env = os.environ | {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
        ran(uv, "tool", "install", "--quiet", "--python", python, what, env=env)
        return folder / "tools" / "ollama-locate"
    made = folder / "env"
    ran(python, "-m", "venv", *(["--without-pip"] if how == "uv pip" else []), made)
    if how == "uv pip":
        ran(uv, "pip", "install", "--quiet", "--python", made / "bin" / "python", what)
    else:
        ran(made / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", what)
    return made


def run_programs(environment: Path, folder: Path) -> str:
    """What a person does first, with a home that has nothing; returns the versions. Raises FailedError."""
    home = folder / "home"
    home.mkdir(parents=True)
    programs = environment / "bin"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OLLAMA_", "XDG_", "PYTHON"))}
    env |= {"HOME": str(home), "PATH": f"{programs}:{env['PATH']}"}
    version = ran(programs / "ollama-locate", "--version", env=env, cwd=home).split()[-1]
    if "ollama-locate setup" not in ran(programs / "ollama-locate", "--help", env=env, cwd=home):
        raise FailedError("--help lacks its examples")
    printed = ran(programs / "ollama-located", "--once", env=env, cwd=home, codes=(0, 4))
    published = (home / ".local/state/ollama-locate/endpoint").read_text()
    asked = ran(programs / "ollama-locate", env=env, cwd=home, codes=(0, 4))
    if not printed == published == asked:
        raise FailedError(f"--once printed {printed!r}, published {published!r}; asked, it was {asked!r}")
    for shell in ("bash", "zsh", "fish"):
        if "ollama-locate" not in ran(programs / "ollama-locate", "completion", shell, env=env, cwd=home):
            raise FailedError(f"completion {shell} is empty")
    ran(programs / "python", "-c", _SERVICE, env=env, cwd=home)
    if missing := [place for place in _SHARED if not (environment / place).is_file()]:
        raise FailedError(f"not installed: {', '.join(missing)}")
    full = re.findall(r"[\d.]+\w*", ran(programs / "python", "--version", env=env))[0]
    return f"ollama-locate {version} on Python {full}"


def try_all(table: Table, dist: Path, pythons: dict[str, Path | None], uv: Path | None) -> None:
    """Every file of `dist` with every Python, in every way."""
    files = {"wheel": next(dist.glob("*.whl")), "sdist": next(dist.glob("*.tar.gz"))}
    with tempfile.TemporaryDirectory() as folder:
        for version, python in pythons.items():
            for how in ("pip", "uv pip", "uv tool"):
                for kind, file in files.items():
                    table.attempt(
                        f"Python {version}: {how} install of the {kind}",
                        lambda python=python, how=how, file=file: _tried(python, file, how, Path(folder) / "it", uv),  # type: ignore[misc]  # its defaults
                    )


def _tried(python: Path | None, what: Path, how: str, folder: Path, uv: Path | None) -> str:
    if python is None:
        raise NotTriedError("there is no such Python here")
    return install(python, what, how, folder, uv)


def main(words: list[str]) -> int:
    """Try these Pythons; print the table."""
    if len(words) < 2:  # noqa: PLR2004 - DIST and a Python
        sys.stderr.write(f"{__doc__}\n")
        return 2
    table = Table()
    uv = shutil.which("uv")
    try_all(table, Path(words[0]).resolve(), {one: Path(one) for one in words[1:]}, Path(uv) if uv else None)
    return table.conclude()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
