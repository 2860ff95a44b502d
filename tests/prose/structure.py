"""Numbers that prove themselves: true equations, and the years of papers that the code cites."""

import ast
import math
import operator
import re
from collections.abc import Iterator

from tests.prose.reading import Number, numbers

CITED = re.compile(r"([A-Z][a-z]+)\b[^;()]{0,40}?,? \(?((?:19|20)\d\d)\b")
TERM = r"[-−]?\d[\d,.]*"
EQUATION = re.compile(
    rf"(?P<left>ln {TERM}|{TERM}(?: (?:[+×/−*-]|divided by|times) {TERM})+) (?:=|is|are) "
    rf"(?P<right>{TERM}\b)"
)
SIGNS = {"×": "*", "times": "*", "divided by": "/", "−": "-", ",": ""}
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def is_cited_year(text: str, number: Number, citations: str) -> bool:
    """Return whether a year stands behind a name as it does in the citations of the code."""
    for match in CITED.finditer(text):
        if match.start(2) == number.start:
            name, year = match.groups()
            return bool(re.search(rf"\b{name}\b.{{0,30}}?\b{year}\b", citations, re.DOTALL))
    return False


def is_proved(text: str, number: Number) -> bool:
    """Return whether a number stands in an equation that is true, such as "2 × 3 = 6"."""
    return any(begin <= number.start < end for begin, end in true_equations(text))


def true_equations(text: str) -> Iterator[tuple[int, int]]:
    """Return where the true equations of a text begin and end."""
    for match in EQUATION.finditer(text):
        left = re.sub(r"ln (.+)", r"log(\1)", match["left"])
        for sign, plain in SIGNS.items():
            left = left.replace(sign, plain)
        (right,) = numbers(match["right"].rstrip(".,"))
        if is_worth(left, right):
            yield match.span()


def is_worth(expression: str, number: Number) -> bool:
    """Return whether an expression has the value of a number, at the digits of the number."""
    worth = _value(ast.parse(expression, mode="eval").body)
    return abs(worth - number.value) <= number.step / 2 + 1e-9


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return getattr(math, node.func.id)(*map(_value, node.args))
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    raise ValueError(f"{ast.unparse(node)}: expected numbers, + - * / ** and functions of math")
