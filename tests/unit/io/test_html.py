"""Markdown as HTML: every element that this project's texts have."""

from html.parser import HTMLParser

import pytest

from campaigns import REPOSITORY
from lah10.io import html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Head **line**", "<h1>Head <b>line</b></h1>"),
        ("one\ntwo", "<p>one two</p>"),
        ("- one\n- `two`", "<ul>\n<li>one</li>\n<li><code>two</code></li>\n</ul>"),
        ("a < b & *c*", "<p>a &lt; b &amp; <i>c</i></p>"),
        ("[x](https://a.b/c) and [y](z.md)", '<p><a href="https://a.b/c">x</a> and y</p>'),
        ("3 * 4 * 5", "<p>3 * 4 * 5</p>"),
    ],
)
def test_elements(text, expected):
    assert expected in html.page(text)


def test_a_table_with_bars_in_its_cells():
    found = html.page("| a | b |\n| --- | --- |\n| max\\|θ\\| | 2 |\n")
    assert "<tr><th>a</th><th>b</th></tr>\n<tr><td>max|θ|</td><td>2</td></tr>" in found


class Balance(HTMLParser):
    """Tags that were opened and not closed."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    "name", ["resources/potentials/lah10/PROVENANCE.md", "results/reference/phase_diagram.md"]
)
def test_files_of_the_project_make_whole_pages(name, tmp_path):
    html.write(REPOSITORY / name, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    parser = Balance()
    parser.feed(text)
    assert parser.open == [] and "<table>" in text
