"""Puts a mutant into the functions that live already: nothing is imported anew, and names bound elsewhere follow."""

import ast
import gc
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType

from .operators import Mutant

Living = dict[tuple[str, str, int], list[FunctionType]]
"""By file, qualified name and first line."""


class UnplacedError(Exception):
    """The function of a mutant does not live: a fault of this runner, never a killed mutant."""


def living(folder: str) -> Living:
    """All functions whose code is of a file in `folder`."""
    found: Living = {}
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename.startswith(folder):
            code = one.__code__
            found.setdefault((code.co_filename, code.co_qualname, code.co_firstlineno), []).append(one)
    return found


def swap(mutant: Mutant, functions: Living) -> None:
    """Make the change in this process, for good."""
    if mutant.owner is None:
        raise UnplacedError(mutant.key)
    mutant.apply()
    tree = ast.fix_missing_locations(ast.Module([mutant.top], []))
    lines = _lines_of(mutant)
    changed = False
    for code in _codes(compile(tree, mutant.file, "exec", dont_inherit=True)):
        if code.co_firstlineno in lines and "<locals>" not in code.co_qualname:
            for function in functions.get((mutant.file, code.co_qualname, code.co_firstlineno), []):
                _exchange(function, code, mutant)
                changed = True
    if not changed:
        raise UnplacedError(mutant.key)


def _exchange(function: FunctionType, code: CodeType, mutant: Mutant) -> None:
    # Where the change takes away what used a closure (`super()`), the function still has its cell.
    function.__code__ = code.replace(co_freevars=function.__code__.co_freevars)
    if mutant.default is None:
        return
    name, expression = mutant.default
    value = eval(compile(ast.Expression(expression), mutant.file, "eval"), vars(sys.modules[function.__module__]))  # noqa: S307 -- our own source
    if function.__kwdefaults__ and name in function.__kwdefaults__:
        function.__kwdefaults__[name] = value
        return
    spelled = code.co_varnames[: code.co_argcount]
    defaults = list(function.__defaults__ or ())
    defaults[spelled.index(name) - len(spelled)] = value
    function.__defaults__ = tuple(defaults)


def _lines_of(mutant: Mutant) -> set[int]:
    """Where the owner begins: its code object says the first decorator's line."""
    owner = mutant.owner
    decorators = getattr(owner, "decorator_list", [])
    return {owner.lineno, *(one.lineno for one in decorators)} if owner else set()


def _codes(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _codes(one)
