"""The book's table of contents: the series in its three parts, then what one looks up.

It is added to the README, which is the book's first page, and seen in the side bar alone.
"""

PARTS = {
    "Build": ["notebooks/0[0-6]_*"],
    "Doubt": ["notebooks/0[7-9]_*"],
    "Go on": ["notebooks/1*"],
    "Look it up": [
        "notebooks/glossary",
        "book/map",
        "book/api",
        "docs/*",
        "CONTRIBUTING",
        "SECURITY",
        "CHANGELOG",
    ],
}


def contents(has_pages) -> str:
    """Return the toctrees as MyST Markdown.

    Args:
        has_pages: Says of a pattern whether a page matches it; a part without pages is left out.
    """
    text = ""
    for caption, patterns in PARTS.items():
        lines = "\n".join(pattern for pattern in patterns if has_pages(pattern))
        if lines:
            text += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{lines}\n```\n"
    return text


def add_contents(app, docname, source):
    """Append the table of contents to the first page."""
    if docname == app.config.root_doc:
        source[0] += contents(lambda pattern: any(app.srcdir.glob(f"{pattern}.*")))


def setup(app):
    """Called by Sphinx."""
    app.connect("source-read", add_contents)
    return {"parallel_read_safe": True}
