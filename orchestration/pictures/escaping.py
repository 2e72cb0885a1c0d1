"""Texts of others made harmless: line breaks everywhere, table cells in markdown, text in XML."""

import re

_LINE_BREAK = re.compile("\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#13;"}
    | {"\n": "&#10;", "\t": "&#9;"}
)


def one_line(text: str, *, separator: str) -> str:
    """Return the text with a separator in place of every line break."""
    return _LINE_BREAK.sub(lambda _: separator, text)


def markdown_text(text: str) -> str:
    """Return what shows the text in a heading or in a cell of a table."""
    return one_line(text.replace("<", "&lt;").replace("|", r"\|"), separator=" ")


def xml_text(text: str) -> str:
    """Return what stands for the text in content and attributes of XML 1.0."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text).translate(_XML)
