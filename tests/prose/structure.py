"""Numbers that prove themselves: true equations, and the years of papers that the code cites."""

import ast
import math
import operator
import re
from collections.abc import Iterator

from tests.prose.reading import Number, numbers

# A year and the name before it, as in "Wang and Manning (2012)", or behind: "In 2011 A. Maas".
CITED = re.compile(r"\b((?:[A-Z][a-z]+)+)\b[^;()]{0,40}?,? \(?((?:19|20)\d\d)\b")
YEAR_FIRST = re.compile(r"\bIn ((?:19|20)\d\d) (?:[A-Z][a-z]+ )?([A-Z][a-z]+)\b")
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
    """Return whether a year stands beside a name as it does in the citations of the code."""
    cited = [(match.start(2), match[1], match[2]) for match in CITED.finditer(text)]
    cited += [(match.start(1), match[2], match[1]) for match in YEAR_FIRST.finditer(text)]
    return any(
        start == number.start
        and re.search(rf"\b{name}\b.{{0,30}}?\b{year}\b", citations, re.DOTALL)
        for start, name, year in cited
    )


def is_proved(text: str, number: Number) -> bool | None:
    """Return whether the equation in which a number stands is true; None where there is none."""
    for begin, end, is_true in _equations(text):
        if begin <= number.start < end:
            return is_true
    return None


def true_equations(text: str) -> Iterator[tuple[int, int]]:
    """Return where the true equations of a text begin and end, such as "2 × 3 = 6"."""
    yield from ((begin, end) for begin, end, is_true in _equations(text) if is_true)


def worth(expression: str) -> float:
    """Compute what an expression of numbers, + - * / ** and functions of math is worth.

    Raises:
        ValueError: It holds anything else.
    """
    return _worth(ast.parse(expression, mode="eval").body)


def _equations(text: str) -> Iterator[tuple[int, int, bool]]:
    for match in EQUATION.finditer(text):
        left = re.sub(r"ln (.+)", r"log(\1)", match["left"])
        for sign, plain in SIGNS.items():
            left = left.replace(sign, plain)
        (right,) = numbers(match["right"])
        rounding = right.step / 2 if right.step < 1 else 0.0
        yield *match.span(), abs(worth(left) - right.value) <= rounding + 1e-9


def _worth(node: ast.expr) -> float:
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_worth(node.left), _worth(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_worth(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return getattr(math, node.func.id)(*map(_worth, node.args))
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    raise ValueError(f"{ast.unparse(node)}: expected numbers, + - * / ** and functions of math")
