"""The language of man pages, man(7): how plain text and the Markdown of docs/ are said in it."""

import re
import textwrap
from collections.abc import Iterator
from typing import Final

_WIDTH: Final = 78
_SIGNS: Final = str.maketrans({"\\": "\\e", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"})
_INLINE: Final = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|\*(?P<italic>[^* ][^*]*)\*|\[(?P<text>[^\]]+)\]\((?P<link>[^)]+)\)"
)
BREAK: Final = ",\\:"
_PAGES: Final = {
    "config.md": "\\fBollama\\-locate.toml\\fR(5)",
    "SECURITY.md": "SECURITY.md",
}


def plain(text: str) -> str:
    """A text that is shown as it is: nothing in it is a request, and all of it is in ASCII."""
    return "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in text.translate(_SIGNS))


def typed(text: str) -> str:
    """The same for what is typed: its `-` is the one of the keyboard."""
    return plain(text).replace("-", "\\-")


def code(text: str) -> str:
    """What is typed, in bold; a long one may be broken after a comma."""
    return f"\\fB{typed(text).replace(',', BREAK)}\\fR"


def name(text: str) -> str:
    """The same for what somebody fills in."""
    return f"\\fI{typed(text)}\\fR"


def inline(text: str) -> str:
    """A piece of Markdown within a paragraph. A link to another page becomes that page's name."""
    found, end = [], 0
    for match in _INLINE.finditer(text):
        found.append(plain(text[end : match.start()]))
        found.append(_span(match))
        end = match.end()
    return "".join([*found, plain(text[end:])])


def _span(match: re.Match[str]) -> str:
    if match["code"]:
        return code(match["code"])
    if match["bold"]:
        return f"\\fB{plain(match['bold'])}\\fR"
    if match["italic"]:
        return f"\\fI{plain(match['italic'])}\\fR"
    link = match["link"].rpartition("/")[2].partition("#")[0]
    if link in _PAGES:
        return _PAGES[link]
    return f"docs/{link}" if link.endswith(".md") else inline(match["text"])


def paragraph(text: str) -> list[str]:
    """A paragraph of Markdown, in lines that begin with no request."""
    words = inline(" ".join(text.split()))
    folded = textwrap.wrap(words, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"\\&{line}" if line.startswith((".", "'")) else line for line in folded]


def literal(lines: list[str]) -> list[str]:
    """Lines that stand as they are written."""
    shown = [typed(line) for line in lines]
    guarded = [f"\\&{line}" if line.startswith((".", "'")) else line or "\\&" for line in shown]
    return [".RS 2", ".nf", *guarded, ".fi", ".RE"]


def entry(tag: str, text: list[str]) -> list[str]:
    """An option, a key, a file, and what it is."""
    return [".TP", tag, *(text or ["\\&"])]


def markdown(text: str) -> list[str]:
    """The requests for a page of docs/: what it begins with before the first `## `, and a section for each of those."""
    return [line for block in _blocks(text) for line in _block(block)]


def _blocks(text: str) -> Iterator[list[str]]:
    """What blank lines part; a fenced block is one, blank lines and all."""
    block: list[str] = []
    fenced = False
    for line in [*text.splitlines(), ""]:
        if line.startswith("```"):
            fenced = not fenced
        if not fenced and (not line.strip() or (line.startswith("```") and not fenced)):
            if line.strip():
                block.append(line)
            if block:
                yield block
            block = []
        else:
            if line.startswith("```") and block:
                yield block
                block = []
            block.append(line)


def _block(block: list[str]) -> list[str]:
    first = block[0]
    if first.startswith("# "):
        return []
    if first.startswith("#"):
        return [f".SH {plain(first.lstrip('# ')).upper()}"]
    if first.startswith("```"):
        return [".PP", *literal(block[1:-1])]
    if first.startswith("|"):
        return [line for row in _rows(block) for line in row]
    if first.startswith("- "):
        return [line for item in _items(block) for line in (".IP \\(bu 2", *paragraph(item))]
    return [".PP", *paragraph(" ".join(block))]


def _items(block: list[str]) -> list[str]:
    return [" ".join(item.splitlines()) for item in re.split(r"^- ", "\n".join(block), flags=re.MULTILINE) if item]


def _rows(block: list[str]) -> Iterator[list[str]]:
    """A table: the first column is what is spoken of; a second of three stands in brackets beside it."""
    heads = _cells(block[0])
    for row in block[2:]:
        cells = _cells(row)
        beside = f"    ({heads[1]}: {cells[1]})" if len(cells) > 2 and cells[1] else ""  # noqa: PLR2004 - as above
        yield entry(inline(cells[0] + beside), paragraph(cells[-1]))


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]
