"""Formulas as MathML, made while the book is built: no script draws them, nothing is loaded."""

from docutils.utils.math import latex2mathml


def _inline(self, node):
    self.body.append(mathml(node.astext(), block=False))
    raise_skip()


def _block(self, node):
    self.body.append(f'<div class="math">{mathml(node.astext(), block=True)}</div>\n')
    raise_skip()


def mathml(formula: str, block: bool) -> str:
    """Return a formula of LaTeX as MathML.

    Args:
        formula: What stands between the dollars.
        block: Whether it stands in a line of its own.
    """
    return latex2mathml.tex2mathml(formula, as_block=block)


def raise_skip():
    """Tell docutils that the node is written."""
    from docutils.nodes import SkipNode

    raise SkipNode


def setup(app):
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
