"""The mutants of a source file: each is one small change of its syntax tree that a good test notices.

Texts are left alone, and so are annotations, docstrings, the bodies of enums, what a `raise` says, and the options of
classes (`frozen`, `gc`): they are wording or speed, not rules. So are figures that a module gives a name: tests refer
to them by it, and that a figure is right is not for a table to say. Aliases of types are left alone too.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .exempt import Function, droppable, exempt, is_enum, joins_text, names_a_figure

Scope = ast.Module | ast.ClassDef | Function

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
NEGATED_BY_COMPARISON = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
SHOWN = 120
"""Of what holds a change, no more letters are told: then the changed expression alone is."""
LINTED = "strict"
"""This argument of zip is there for the linter: its lists have one length each."""


@dataclass(frozen=True)
class Mutant:
    """One change. `apply` makes it in the tree that it was found in; a tree takes one only.

    `owner` is the outermost function that holds it, None where it runs when the module is imported. `default` is set
    where it is inside a default argument of `owner`: (the argument's name, its changed expression).
    """

    file: str
    where: str
    change: str
    lines: range
    apply: Callable[[], None] = field(compare=False, repr=False)
    top: ast.stmt = field(compare=False, repr=False)
    owner: Function | None = field(compare=False, repr=False)
    default: tuple[str, ast.expr] | None = field(compare=False, repr=False, default=None)

    @property
    def key(self) -> str:
        """What names it in survivors.toml: no line number, as those shift."""
        return f"{self.where}: {self.change}"


@dataclass(frozen=True)
class _Place:
    """Where the walk is: what holds the node, the statement (a header, of a compound one), the names so far."""

    top: ast.stmt
    scopes: tuple[Scope, ...] = ()
    statement: ast.stmt | None = None
    default: tuple[str, ast.expr] | None = None

    @property
    def functions(self) -> list[Function]:
        return [scope for scope in self.scopes if not isinstance(scope, ast.Module | ast.ClassDef)]

    @property
    def name(self) -> str:
        return ".".join(getattr(scope, "name", "lambda") for scope in self.scopes) or "module"


def mutants(file: str, tree: ast.Module) -> list[Mutant]:
    """All mutants of one file, in the order of its lines."""
    return list(_Walk(file).module(tree))


class _Walk:
    def __init__(self, file: str) -> None:
        self._file = file

    def module(self, tree: ast.Module) -> Iterator[Mutant]:
        for statement in tree.body:
            if names_a_figure(statement):
                continue
            yield from self._statement(tree.body, statement, _Place(statement))

    def _made(self, place: _Place, node: ast.AST, after: ast.AST | str, apply: Callable[[], None]) -> Mutant:
        owner = next(iter(place.functions), None)
        statement = place.statement or place.top
        change = f"{_text(node)} -> {after if isinstance(after, str) else _text(after)}"
        lines = _header(statement)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):  # A default is met wherever the body is.
            lines = range(statement.body[0].lineno, (statement.end_lineno or statement.lineno) + 1)
        return Mutant(self._file, place.name, change, lines, apply, place.top, owner, place.default)

    def _statement(self, body: list[ast.stmt], node: ast.stmt, place: _Place) -> Iterator[Mutant]:
        place = _Place(place.top, place.scopes, node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from self._function(node, place)
        elif isinstance(node, ast.ClassDef):
            inner = _Place(place.top, (*place.scopes, node))
            for one in node.body:
                if not is_enum(node) or isinstance(one, ast.FunctionDef):
                    yield from self._statement(node.body, one, inner)
        elif not exempt(node):
            if droppable(node, next(reversed(place.functions), None)):
                yield self._made(place, node, "dropped", lambda: _put(body, node, ast.copy_location(ast.Pass(), node)))
            if isinstance(node, ast.Return) and node.value is not None:
                yield from self._return(node, node.value, place)
            if not isinstance(node, ast.Raise):
                yield from self._children(node, place)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, place: _Place) -> Iterator[Mutant]:
        inner = _Place(place.top, (*place.scopes, node))
        outermost = not place.functions
        spelled = node.args.posonlyargs + node.args.args
        defaults = list(zip(spelled[len(spelled) - len(node.args.defaults) :], node.args.defaults, strict=True))
        for argument, one in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            defaults += [] if one is None else [(argument, one)]
        for argument, expression in defaults:
            told = (argument.arg, expression) if outermost else None
            at = _Place(place.top, inner.scopes, node, told)
            yield from self._constant_default(node.args, argument.arg, expression, at)
        for statement in node.body:
            yield from self._statement(node.body, statement, inner)

    def _constant_default(self, arguments: ast.arguments, name: str, node: ast.expr, at: _Place) -> Iterator[Mutant]:
        for change in _constants(node):
            told = (name, change) if at.default else None

            def apply(change: ast.expr = change) -> None:
                arguments.defaults[:] = [change if one is node else one for one in arguments.defaults]
                arguments.kw_defaults[:] = [change if one is node else one for one in arguments.kw_defaults]

            made = self._made(_Place(at.top, at.scopes, at.statement, told), node, change, apply)
            yield Mutant(**{**vars(made), "change": f"{name}={made.change}"})

    def _return(self, node: ast.Return, value: ast.expr, place: _Place) -> Iterator[Mutant]:
        if _returns_bool(place):
            if not isinstance(value, ast.Compare | ast.BoolOp | ast.Constant) and not _is_not(value):
                yield self._replaced(node, "value", value, _negation(value), place)
        elif not (isinstance(value, ast.Constant) and value.value in (None, True, False)):
            yield self._replaced(node, "value", value, ast.Constant(None), place, shown=node)

    def _children(self, node: ast.AST, place: _Place) -> Iterator[Mutant]:
        if isinstance(node, ast.keyword) and node.arg == LINTED:
            return
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.stmt):
                    yield from self._statement(value, child, place)
                elif isinstance(child, ast.expr):
                    yield from self._expression(node, name, child, place)
                elif isinstance(child, ast.AST):
                    yield from self._children(child, place)

    def _expression(self, parent: ast.AST, name: str, node: ast.expr, place: _Place) -> Iterator[Mutant]:
        shown = parent if isinstance(parent, ast.expr | ast.keyword | ast.Assign | ast.AnnAssign) else node
        for change in _changes(node):
            yield self._replaced(parent, name, node, change, place, shown=shown if len(_text(shown)) <= SHOWN else node)
        if isinstance(node, ast.Call):
            yield from self._without_keyword(parent, name, node, place)
        if _is_condition(parent, name) and not _is_not(node) and not _negates_itself(node):
            yield self._replaced(parent, name, node, _negation(node), place)
        if isinstance(node, ast.Lambda):
            yield from self._expression(
                node, "body", node.body, _Place(place.top, (*place.scopes, node), place.statement)
            )
        else:
            yield from self._children(node, place)

    def _without_keyword(self, parent: ast.AST, name: str, node: ast.Call, place: _Place) -> Iterator[Mutant]:
        for one in node.keywords:
            if one.arg not in (None, LINTED):
                change = ast.Call(node.func, node.args, [each for each in node.keywords if each is not one])
                made = self._replaced(parent, name, node, change, place)
                told = f"{_text(node.func)}({one.arg}=...) -> dropped"
                yield Mutant(**{**vars(made), "change": told})

    def _replaced(
        self, parent: ast.AST, name: str, old: ast.expr, new: ast.expr, place: _Place, *, shown: ast.AST | None = None
    ) -> Mutant:
        """`shown` is what holds the change and is told, as a bare `1 -> 2` would say little."""
        ast.copy_location(new, old)
        ast.fix_missing_locations(new)
        value = getattr(parent, name)

        def put(one: ast.expr, other: ast.expr) -> None:
            if isinstance(value, list):
                value[:] = [other if each is one else each for each in value]
            else:
                setattr(parent, name, other)

        if shown is None or shown is old:
            after: ast.AST | str = new
        else:
            put(old, new)
            after = _text(shown)
            put(new, old)
        return self._made(place, shown or old, after, lambda: put(old, new))


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    yield from _constants(node)
    match node:
        case ast.Compare():
            for place, op in enumerate(node.ops):
                ops = [COMPARED[type(op)]() if i == place else each for i, each in enumerate(node.ops)]
                yield ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for one in node.values:
                rest = [each for each in node.values if each is not one]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        case ast.BinOp() if type(node.op) in COMPUTED and not joins_text(node):
            yield ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.UnaryOp(op=ast.USub()) if not isinstance(node.operand, ast.Constant):
            yield node.operand
        case ast.Call():
            yield from _calls(node)
        case _:
            pass


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    if isinstance(node.func, ast.Name) and node.func.id in SWAPPED:
        yield ast.Call(
            ast.copy_location(ast.Name(SWAPPED[node.func.id], ast.Load()), node.func), node.args, node.keywords
        )


def _constants(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            yield ast.Constant(not value)
        elif isinstance(value, int | float):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)


def _negation(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


def _negates_itself(node: ast.expr) -> bool:
    """Whether one of the changes of this comparison is its negation already."""
    return isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], NEGATED_BY_COMPARISON)


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _is_condition(parent: ast.AST, name: str) -> bool:
    held = (isinstance(parent, ast.If | ast.IfExp | ast.While) and name == "test") or name == "guard"
    return held or (isinstance(parent, ast.comprehension) and name == "ifs")


def _returns_bool(place: _Place) -> bool:
    holder = place.functions[-1]
    annotation = getattr(holder, "returns", None)
    return isinstance(annotation, ast.Name) and annotation.id == "bool"


def _put(body: list[ast.stmt], old: ast.stmt, new: ast.stmt) -> None:
    body[:] = [new if each is old else each for each in body]


def _header(node: ast.stmt) -> range:
    """The lines of a statement; of a compound one, those before its body."""
    inner = [one.lineno for one in getattr(node, "body", [])]
    if isinstance(node, ast.Match):
        inner = [node.subject.lineno + 1]
    last = node.end_lineno or node.lineno
    return range(node.lineno, max(node.lineno + 1, min(inner)) if inner else last + 1)


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())
