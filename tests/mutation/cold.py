"""Mutants of what runs when a module is imported, as the defaults of fields: each has a process that imports anew."""

import ast
import importlib.abc
import importlib.machinery
import resource
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from .operators import Mutant
from .session import PROPERTIES, ROOT, Fate, Reached, lightened

CPU_SECONDS = 90
OPTIONS = [
    "-p",
    "no:terminal",
    "-p",
    "no:cacheprovider",
    "--assert=plain",
    "-o",
    "addopts=--strict-markers --import-mode=importlib",
]


class Mutated(importlib.abc.MetaPathFinder):
    """Finds one module, and gives it this code."""

    def __init__(self, name: str, file: str, code: CodeType) -> None:
        self._name, self._file, self._code = name, file, code

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = importlib.machinery.SourceFileLoader(fullname, self._file)
        setattr(loader, "get_code", lambda _: self._code)  # noqa: B010 -- mypy knows methods as fixed
        return ModuleSpec(fullname, loader, origin=self._file)


class Lightened:
    """The plugin of such a run: without the fixtures that the core does not need."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            lightened(item)


def job(mutant: Mutant | None, tree: ast.Module, groups: list[list[str]]) -> Callable[[], int]:
    """`groups` of test files: the next is run where the one before has not killed it."""

    def run() -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        if mutant is not None:
            mutant.apply()
            code = compile(tree, mutant.file, "exec", dont_inherit=True)
            name = f"ollama_locate.core.{Path(mutant.file).stem}"
            sys.meta_path.insert(0, Mutated(name, mutant.file, code))
        for files in groups:
            said = pytest.main([*OPTIONS, "-x", "--rootdir", str(ROOT), *files], plugins=[Lightened()])
            if said not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                return Fate.BY_PROPERTY if files[0].startswith(PROPERTIES) else Fate.KILLED
        return Fate.SURVIVED

    return run


def groups_for(file: str, reached: Reached, files: Sequence[str]) -> list[list[str]]:
    """The test files of a module, by name first; then all those that reach it; then the properties that do."""
    stem = Path(file).stem
    numbers = {number for tests in reached.get(file, {}).values() for number in tests}
    found = sorted({files[number] for number in numbers} or set(files))
    own = sorted(str(one.relative_to(ROOT)) for one in (ROOT / "tests" / "core").glob(f"test_{stem}*.py"))
    tables = [one for one in found if one not in own and not one.startswith(PROPERTIES)]
    return [one for one in (own, tables, [one for one in found if one.startswith(PROPERTIES)]) if one]
