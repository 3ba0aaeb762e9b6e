"""Markdown texts of this project as HTML pages, for readers in a browser: the report of Snakemake
offers Markdown as a download.

Of Markdown that this project writes: headings, paragraphs, lists, tables, and in a line bold,
italics, code and links.
"""

import html
import os
import re
from pathlib import Path

from lah10.io.files import atomic_path

STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; font-size: 13px; margin: 1em 0; }
th, td { border: 1px solid #ccc; padding: 0.25em 0.6em; text-align: left; vertical-align: top; }
th { background: #eee; }
code { background: #f3f3f3; padding: 0 0.2em; }
""".strip()
_INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w*])\*([^*\s][^*]*)\*(?!\w)"), r"<i>\1</i>"),
    (re.compile(r"!?\[([^\]]*)\]\((https?://[^)\s]+)\)"), r'<a href="\2">\1</a>'),
    (re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)"), r"\1"),
)
#: A bar between cells, not one that is escaped.
_BAR = re.compile(r"(?<!\\)\|")


def write(markdown: str | os.PathLike, output: str | os.PathLike) -> None:
    """The page of a file in Markdown; it appears whole."""
    text = Path(markdown).read_text(encoding="utf-8")
    with atomic_path(output) as aside:
        Path(aside).write_text(page(text), encoding="utf-8")


def page(text: str) -> str:
    """A whole HTML page of a text in Markdown; its first heading is the title."""
    title = next((line.lstrip("# ") for line in text.splitlines() if line.startswith("#")), "")
    body, lines, i = [], text.splitlines(), 0
    while i < len(lines):
        line = lines[i]
        if not line.strip():
            i += 1
        elif line.startswith("#"):
            level = min(len(line) - len(line.lstrip("#")), 6)
            body.append(f"<h{level}>{inline(line.lstrip('#').strip())}</h{level}>")
            i += 1
        else:
            kind = _kind(line)
            j = i
            while j < len(lines) and lines[j].strip() and _kind(lines[j]) == kind:
                j += 1
            body.append({"table": _table, "list": _list, "text": _text}[kind](lines[i:j]))
            i = j
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def inline(text: str) -> str:
    """A line of Markdown as HTML."""
    found = html.escape(text, quote=False)
    for pattern, replacement in _INLINE:
        found = pattern.sub(replacement, found)
    return found.replace("\\|", "|")


def _kind(line: str) -> str:
    return "table" if line.startswith("|") else "list" if line.startswith("- ") else "text"


def _table(lines: list[str]) -> str:
    rows = [[cell.strip() for cell in _BAR.split(line.strip())[1:-1]] for line in lines]
    rule = {i for i, row in enumerate(rows) if all(set(cell) <= set("-: ") for cell in row)}
    head = min(rule, default=0)
    parts = []
    for i, row in enumerate(rows):
        if i in rule:
            continue
        tag = "th" if i < head else "td"
        parts.append("<tr>" + "".join(f"<{tag}>{inline(cell)}</{tag}>" for cell in row) + "</tr>")
    return "<table>\n" + "\n".join(parts) + "\n</table>"


def _list(lines: list[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{inline(line[2:])}</li>" for line in lines) + "\n</ul>"


def _text(lines: list[str]) -> str:
    return f"<p>{inline(' '.join(lines))}</p>"
