"""`make release-check`: builds all that a release has, tries it, and says what was tried and what could not be.

It needs .venv (make venv) and the package index, and no other network. What it builds is in dist/.
`PYTHONS="3.12 3.13"` tries these only.
"""

import hashlib
import os
import re
import shutil
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Final

import generate
import installs
from findings import FailedError, NotTriedError, Table, ran

ROOT: Final = Path(__file__).resolve().parents[1]
DIST: Final = ROOT / "dist"
_FORMULA: Final = DIST / "homebrew" / "ollama-locate.rb"
_CONTAINERFILE: Final = ROOT / "packaging" / "Containerfile"
_INSPECT: Final = {
    "podman": ["image", "inspect"],
    "docker": ["image", "inspect"],
    "buildah": ["inspect", "--type", "image"],
}
_BUILD: Final = {
    "podman": ["build", "--format", "docker", "--pull=never"],
    "docker": ["build"],
    "buildah": ["bud", "--format", "docker", "--pull-never"],
}


def main() -> int:
    """All of it, in an order in which a later step has what it needs."""
    table = Table()
    os.environ.setdefault("SOURCE_DATE_EPOCH", ran("git", "log", "-1", "--format=%ct", cwd=ROOT).strip())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        table.attempt("sdist and wheel are built", lambda: build(ROOT, DIST))
        if table.rows[-1].result != "ok":
            return table.conclude()
        table.attempt("the version is one", versions)
        table.attempt("built again elsewhere: the same bytes", lambda: built_again(folder))
        table.attempt("the sdist builds the same wheel", lambda: built_from_sdist(folder))
        table.attempt("the wheel has what it should, and no more", wheel_contents)
        table.attempt("man pages and completions: their tests", pages)
        tools = folder / "tools"
        table.attempt("uv and packaging, from the index", lambda: tools_installed(tools))
        table.attempt("the Homebrew formula: made, and read by ruby", lambda: formula(tools / "bin" / "python"))
        table.attempt("the Homebrew formula: brew style", brew_style)
        table.attempt("the container file: hadolint", hadolint)
        table.attempt("the container file: built, and its health asked", container)
        uv = tools / "bin" / "uv"
        wanted = os.environ.get("PYTHONS", "").split() or installs.SUPPORTED
        pythons = {version: installs.found(version) for version in wanted}
        installs.try_all(table, DIST, pythons, uv if uv.exists() else None)
    return table.conclude()


def build(source: Path, out: Path) -> str:
    """Both files, into an empty folder."""
    shutil.rmtree(out, ignore_errors=True)
    ran(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source)
    return ", ".join(f"{file.name} {file.stat().st_size / 1000:.0f} kB" for file in sorted(out.iterdir()))


def versions() -> str:
    """The sources', the files', and the changelog's."""
    source = re.findall(r'VERSION: Final = "([^"]+)"', (ROOT / "daemon/ollama_locate/core/constants.py").read_text())
    files = [re.split(r"-(\d[^-]*?)(?:-py3|\.tar)", file.name)[1] for file in (_wheel(), _sdist())]
    metadata = re.findall(r"^Version: (.*)$", _in_wheel("METADATA"), re.MULTILINE)
    if len({*source, *files, *metadata}) != 1:
        raise FailedError(f"constants.py {source}, files {files}, metadata {metadata}")
    newest = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]
    heading = newest.strip("[]").split()[0].strip("[]")
    if heading not in (source[0], "Unreleased"):
        raise FailedError(f"the newest heading of CHANGELOG.md is `{newest}`, and the version is {source[0]}")
    return str(source[0]) + (" (no release yet: CHANGELOG.md still says Unreleased)" if heading == "Unreleased" else "")


def built_again(folder: Path) -> str:
    """From the files that git knows, in another place, with other times and another umask."""
    copy = folder / "copy"
    for name in ran("git", "ls-files", "-z", cwd=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    before = os.umask(0o077)
    try:
        build(copy, folder / "again")
    finally:
        os.umask(before)
    return ", ".join(_same(file, folder / "again" / file.name) for file in (_sdist(), _wheel()))


def built_from_sdist(folder: Path) -> str:
    """A wheel of what the sdist unpacks to."""
    with tarfile.open(_sdist()) as archive:
        archive.extractall(folder / "sources", filter="data")
    source = next((folder / "sources").iterdir())
    ran(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder / "from-sdist", source)
    return _same(_wheel(), folder / "from-sdist" / _wheel().name)


def _same(one: Path, other: Path) -> str:
    if one.read_bytes() != other.read_bytes():
        here, there = _members(one), _members(other)
        parts = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
        raise FailedError(f"{one.name} differs in {', '.join(parts[:5]) or 'its order, times or modes'}")
    return f"{one.name} {hashlib.sha256(one.read_bytes()).hexdigest()[:12]}"


def _members(file: Path) -> dict[str, bytes]:
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(file) as archive:
        files = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        return {name: content.read() for name, content in files.items() if content is not None}


def wheel_contents() -> str:
    """The package's files that git knows, the service definitions, what is generated, the metadata."""
    known = ran("git", "ls-files", "-z", "daemon/ollama_locate", "systemd", "launchd", cwd=ROOT).split("\0")
    name = "-".join(_wheel().name.split("-")[:2])
    services = re.compile(r"^(?=systemd/|launchd/)")
    wanted = {services.sub("ollama_locate/services/", one.removeprefix("daemon/")) for one in known}
    wanted |= {f"{name}.data/data/{place}" for place in generate.files()}
    wanted |= {
        f"{name}.dist-info/{one}" for one in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    }
    with zipfile.ZipFile(_wheel()) as archive:
        there = set(archive.namelist())
    if wrong := (wanted - {""}) ^ there:
        raise FailedError("; ".join(f"{'unknown' if one in there else 'missing'}: {one}" for one in sorted(wrong)))
    needed = _names(re.findall(r"^Requires-Dist: (.*)$", _in_wheel("METADATA"), re.MULTILINE))
    if needed != _names(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]):
        raise FailedError(f"it requires {', '.join(sorted(needed))}, which is not what pyproject.toml says")
    return f"{len(there)} files; it requires {len(needed)} packages"


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9_.-]", one)[0] for one in requirements}


def _in_wheel(name: str) -> str:
    with zipfile.ZipFile(_wheel()) as archive:
        return archive.read(next(one for one in archive.namelist() if one.endswith(f".dist-info/{name}"))).decode()


def pages() -> str:
    """mandoc, groff, man and real shells, as far as they are here."""
    where = ("tests/packaging", "tests/shells/test_completion.py")
    said = ran(sys.executable, "-m", "pytest", "-q", "-rs", *where, cwd=ROOT)
    return said.strip().splitlines()[-1]


def tools_installed(folder: Path) -> str:
    """An environment of their own: the project's does without."""
    venv.create(folder, with_pip=True)
    ran(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv", "packaging")
    return ran(folder / "bin" / "uv", "--version").strip()


def formula(python: Path) -> str:
    """Every dependency's sources, as the index has them and dev.lock knows them."""
    text = ran(python, ROOT / "packaging" / "formula.py", _sdist())
    _FORMULA.parent.mkdir(exist_ok=True)
    _FORMULA.write_text(text)
    if shutil.which("ruby") is None:
        raise NotTriedError("it is made; ruby is not here to read it")
    ran("ruby", "-c", _FORMULA)
    return f"{text.count('  resource ')} dependencies"


def brew_style() -> str:
    """Only Homebrew has its rules."""
    if shutil.which("brew") is None:
        raise NotTriedError("brew is not here")
    ran("brew", "style", _FORMULA)
    return "no offence"


def hadolint() -> str:
    """What is known to go wrong in such files."""
    if shutil.which("hadolint") is None:
        raise NotTriedError("hadolint is not here")
    ran("hadolint", _CONTAINERFILE)
    return "nothing found"


def container() -> str:
    """Only with an engine and a base image that are here: images come from elsewhere than packages do."""
    engine = next((one for one in _BUILD if shutil.which(one)), None)
    if engine is None:
        raise NotTriedError(f"none of {', '.join(_BUILD)} is here")
    base = f"python:{re.findall(r'ARG PYTHON=(.*)', _CONTAINERFILE.read_text())[0]}"
    try:
        ran(engine, *_INSPECT[engine], base)
    except FailedError:
        raise NotTriedError(f"{engine} has no image {base} here") from None
    ran(engine, *_BUILD[engine], "--network", "host", "-t", "ollama-locate", "-f", _CONTAINERFILE, ".", cwd=ROOT)
    if engine == "buildah":
        return "built by buildah, which runs none"
    ran(engine, "run", "--rm", "--entrypoint", "ollama-located", "ollama-locate", "--check", codes=(1,))
    return f"built and run by {engine}"


def _wheel() -> Path:
    return next(DIST.glob("*.whl"))


def _sdist() -> Path:
    return next(DIST.glob("*.tar.gz"))


if __name__ == "__main__":
    sys.exit(main())
