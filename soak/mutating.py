"""Small faults planted in a module, one at a time: comparisons, arithmetic, logic, constants, calls left out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult},
    **{ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One fault: where it stands, what became of what, and the source with it.

    scope: the function at the top of the module, or of a class at its top, that holds it ("Class.method").
    """

    scope: str
    function: str
    old: str
    new: str
    source: str

    @property
    def name(self) -> str:
        return f"{self.function}: {self.old} → {self.new}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every fault that is known, in the order of the source; words of messages and annotations are left alone."""
    tree = ast.parse(source)
    seen: dict[str, int] = {}
    for scope, function in _functions(tree):
        for number, node in enumerate(_code(function)):
            for new in _faults(node):
                changed = copy.deepcopy(tree)
                (twin,) = (
                    n
                    for n in ast.walk(changed)
                    if isinstance(n, ast.FunctionDef) and n.lineno == function.lineno
                )
                old = _code(twin)[number]
                old_text, new_text = _line(node), _line(new)
                _replace(twin, old, new)
                key = f"{function.name}{old_text}{new_text}"
                seen[key] = seen.get(key, 0) + 1
                more = f" ({seen[key]})" if seen[key] > 1 else ""
                text = ast.unparse(ast.fix_missing_locations(changed))
                yield Mutant(scope, function.name, old_text, new_text + more, text)


def _functions(node: ast.AST, scope: str = "", inside: bool = False) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function below a node, with the name of the outermost one around it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            outer = scope if inside else f"{scope}{child.name}"
            yield outer, child
            yield from _functions(child, outer, inside=True)
        elif isinstance(child, ast.ClassDef) and not inside:
            yield from _functions(child, f"{scope}{child.name}.")
        else:
            yield from _functions(child, scope, inside)


def _line(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:87]}..."


def _code(function: ast.FunctionDef) -> list[ast.AST]:
    """The nodes of a body that compute; nothing of annotations, docstrings, raised messages or inner functions."""
    found: list[ast.AST] = []

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.Raise | ast.FunctionDef | ast.JoinedStr | ast.Assert):
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        found.append(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "slice") and not isinstance(node, ast.Subscript):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    walk(child)

    for statement in function.body:
        walk(statement)
    return found


def _faults(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield ast.Compare(node.left, [SWAPS[type(node.ops[0])](), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        yield ast.BinOp(node.left, SWAPS[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(SWAPS[type(node.op)](), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _replace(root: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(root):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]
