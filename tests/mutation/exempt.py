"""What is left alone: statements without which nothing makes sense, wording, names of figures."""

import ast

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "Worded"})


def droppable(node: ast.stmt, function: Function | None) -> bool:
    """Whether the rest makes sense without it: not so for a name's first value."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Expr() | ast.AugAssign() | ast.Delete() | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case ast.Assign(targets=[target]):
            if isinstance(target, ast.Name):
                return function is not None and _bound_before(target, function)
            return isinstance(target, ast.Attribute | ast.Subscript) and not _initial(target, function)
        case _:
            return False


def _initial(target: ast.expr, function: Function | None) -> bool:
    """Whether __init__ sets an attribute: without it, nothing works at all."""
    own = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    return own and getattr(function, "name", "") == "__init__"


def _bound_before(target: ast.Name, function: Function) -> bool:
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    earlier = (
        node.lineno < target.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == target.id
    )
    return any(one.arg == target.id for one in arguments) or any(earlier)


def exempt(node: ast.stmt) -> bool:
    """Whether nothing of a statement is changed."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Assert() | ast.Global() | ast.Nonlocal():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return True
        case _:
            return False


def is_enum(node: ast.ClassDef) -> bool:
    """Whether a class is a table of words."""
    return any(isinstance(base, ast.Name) and base.id in ENUMS for base in node.bases)


def joins_text(node: ast.BinOp) -> bool:
    """Whether a + joins texts: its mutant could only raise."""
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        or (isinstance(side, ast.BinOp) and joins_text(side))
        for side in (node.left, node.right)
    )


def names_a_figure(node: ast.stmt) -> bool:
    """Whether a module gives a name to a figure, to several, or to a union of types."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    parts = [one for one in ast.walk(node.value) if isinstance(one, ast.expr)]
    figures = all(isinstance(one, ast.Constant | ast.BinOp | ast.UnaryOp | ast.Tuple) for one in parts)
    union = isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.BitOr)
    return figures or (union and all(isinstance(one, ast.Name | ast.BinOp) for one in parts))
