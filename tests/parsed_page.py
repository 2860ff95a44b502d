"""HTML as a browser takes it apart: its tags, its attributes, and the text that a reader sees."""

import re
from html.parser import HTMLParser

HARMLESS_TAGS = {
    "bdi", "br", "caption", "div", "em", "p", "section", "span", "strong", "sup", "table", "tbody",
    "td", "th", "thead", "tr",
}  # fmt: skip
HARMLESS_ATTRIBUTES = {
    "aria-label", "aria-valuemax", "aria-valuemin", "aria-valuenow", "class", "data-score", "dir",
    "role", "scope", "style", "tabindex", "title",
}  # fmt: skip
NUMBER = re.compile(r"U\+([0-9A-F]+)(?: × ([\d,]+))?")


class ParsedPage(HTMLParser):
    """What a browser makes of HTML.

    Args:
        markup: The HTML; every element in it must be closed.
    """

    def __init__(self, markup: str):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.words, self.open = set(), [], "", [], []
        # The text without the signs at words, its marks read back as what they stand for.
        self.typed, self.is_shortened = "", False
        self.feed(markup)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if ("class", "imdb-word") in attrs:
            self.words.append(["", float(dict(attrs)["data-score"])])
        if tag != "br":
            self.open.append((tag, dict(attrs).get("class")))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1][1] == "imdb-word":
            self.words[-1][0] += data
        if self.open and self.open[-1][1] == "imdb-mark":
            self.is_shortened |= "…" in data
            for number, times in NUMBER.findall(data):
                self.typed += chr(int(number, 16)) * int(times.replace(",", "") or 1)
        elif not self.open or self.open[-1][0] not in ("sup", "em"):
            self.typed += data


def assert_harmless(page: ParsedPage) -> None:
    """Fail where there is more than the explorer itself writes."""
    assert page.tags <= HARMLESS_TAGS
    assert {name for name, _ in page.attributes} <= HARMLESS_ATTRIBUTES
    for name, value in page.attributes:
        assert name != "style" or not any(x in value for x in ("url(", "expression", "@import"))
