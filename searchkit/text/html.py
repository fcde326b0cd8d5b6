"""HTML as plain text: whether a text is HTML, and what it says without the markup.

A text counts as HTML where it is certain, as tags that are taken for markup are lost: a student who
writes *about* HTML quotes tags, and `List<String>` or `a<b` are no tags at all. The rule:

1. Every tag that needs an end has one, and there are neither form controls nor the attributes of
   React and Vue: an answer with these is a program, which no editor of a learning platform writes.
2. No word stands outside the elements (`<p>…</p><ul>…</ul>`, a whole page). Or some do, and the
   text shows that a program wrote it: a line break or block follows a word directly (`one<br>two`,
   `one<div>two</div>`), an element has a style or class, or entities stand beside elements. Then no
   other `<` may stand in it, and no tag in quotation marks.
3. Words are left when the tags are taken away: `<br>` alone is an answer about HTML.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html import unescape
from itertools import pairwise

_BLOCKS = frozenset(
    "address article aside blockquote caption center dd details dir div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hr legend li main nav ol option p pre section "
    "summary table tbody tfoot thead tr ul".split()
)
_LINES = frozenset({"caption", "dd", "div", "dt", "li", "option", "summary", "tr"})  # no blank line
_LISTS = frozenset({"ol", "ul"})
_CELLS = frozenset({"td", "th"})
_HIDDEN = frozenset({"script", "style", "template", "title"})
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_END_OPTIONAL = frozenset("colgroup dd dt li option p tbody td tfoot th thead tr".split())
_CONTROLS = frozenset("button fieldset form input label select textarea".split())
_OTHERS = frozenset(
    "a abbr acronym applet audio b bdi bdo big body canvas cite code data datalist del dfn em font "
    "frame frameset head html i iframe ins kbd map mark math meter nobr noscript object optgroup "
    "output picture progress q rp rt ruby s samp small span strike strong sub sup svg time tt u "
    "var video".split()
)
_NAMES = _BLOCKS | _CELLS | _HIDDEN | _VOID | _END_OPTIONAL | _CONTROLS | _OTHERS
_TAG = re.compile(
    r"""<(?P<close>/?)(?P<name>[a-z][a-z0-9:-]*+)
    (?P<attributes>(?:[\s/]++(?:[a-z_][\w:.-]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+)?+)*+)
    >""",
    re.VERBOSE | re.IGNORECASE,
)
_MARKUP = re.compile(rf"{_TAG.pattern}|<(?P<other>!--|!doctype|!\[|\?xml)?", _TAG.flags)
_END = re.compile(r"</([a-z][a-z0-9:-]*+)", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_DOCUMENT = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!doctype html|<html[\s>])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-z]{2,31}[0-9]{0,2}|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_WRITTEN_BY_EDITOR = re.compile(r"\s(?:style|class|dir|data-[a-z-]+)\s*=", re.IGNORECASE)
_PROGRAMMED = re.compile(r"\s(?:className|on[A-Z]\w*|v-\w+)\s*=")
_BEFORE_BREAK = re.compile(r"[\w.,;:!?)\]%]\Z")
_QUOTES = "`'\"\u2018\u2019\u201c\u201d\u201e\xab\xbb"
_MAX_DEPTH = 1_000  # of elements


def as_plain_text(text: str) -> tuple[str, str | None]:
    """Return a text, and what it was made of if it was HTML, or None."""
    return (html_to_text(text), text) if is_html(text) else (text, None)


def is_html(text: str) -> bool:
    """Whether a text is HTML, by the rule above."""
    if "<" not in text:
        return False
    text = _without_comments(text)
    tags = [tag for tag in _TAG.finditer(text) if tag["name"].lower() in _NAMES]
    if not tags or not _has_words(unescape(_TAG.sub(" ", text))):
        return False
    if _DOCUMENT.match(text):
        return True
    if any(tag["name"].lower() in _CONTROLS or _PROGRAMMED.search(tag[0]) for tag in tags):
        return False
    outside, is_complete, is_exact = _outside(text, tags)
    if not is_complete:
        return False
    if not _has_words(unescape(outside)):
        return True
    return is_exact and _is_written_by_editor(text, tags)


def _without_comments(text: str) -> str:
    end = text.rfind("-->") + 3  # so that the pattern finds an end for each beginning
    return _COMMENT.sub("", text[:end]) + text[end:] if end > 3 else text


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def _outside(text: str, tags: list[re.Match[str]]) -> tuple[str, bool, bool]:
    """Return the text outside all elements, whether all of these end, and each in its place."""
    outside: list[str] = []
    open_names: list[str] = []
    counts: Counter[str] = Counter()
    is_complete = is_exact = True
    position = 0
    for tag in tags:
        name = tag["name"].lower()
        if not open_names:
            outside.append(text[position : tag.start()])
        position = tag.end()
        if name in _VOID:
            continue
        if not tag["close"]:
            open_names.append(name)
            counts[name] += 1
        elif counts[name]:
            while (last := open_names.pop()) != name:
                counts[last] -= 1
                is_exact &= last in _END_OPTIONAL
            counts[name] -= 1
        else:
            is_exact = False
            is_complete &= bool(open_names)
    outside.append(text[position:])
    return " ".join(outside), is_complete and not open_names, is_exact


def _is_written_by_editor(text: str, tags: list[re.Match[str]]) -> bool:
    """Whether a text with words outside its elements shows that a program wrote it."""
    if text.count("<") > len(tags):
        return False
    has_pair = has_sign = False
    for tag in tags:
        before = text[max(tag.start() - 1, 0) : tag.start()]
        is_quoted = (
            before and before in _QUOTES and text[tag.end() : tag.end() + 1] not in ("", "<")
        )
        if is_quoted and not tag["close"]:
            return False
        name = tag["name"].lower()
        has_pair |= bool(tag["close"])
        is_break = not tag["close"] and (name == "br" or name in _BLOCKS)
        has_sign |= is_break and bool(_BEFORE_BREAK.match(before))
        has_sign |= bool(_WRITTEN_BY_EDITOR.search(tag["attributes"]))
    return has_sign or (has_pair and bool(_ENTITY.search(text)))


def html_to_text(html: str) -> str:
    """Return what HTML says: paragraphs, lists, tables' cells, code with its white space.

    Paragraphs are apart by a blank line; items of a list begin with `-` or their number, cells are
    apart by tabs. An image is its alternative text. Scripts and styles are left out.
    """
    from lxml.etree import HTMLParser

    writer = _TextWriter()
    parser = HTMLParser(target=writer, encoding="utf-8", huge_tree=True)
    parser.feed(_tidied(html.replace("\r\n", "\n").replace("\r", "\n")).encode(errors="replace"))
    return str(parser.close())


def _tidied(html: str) -> str:
    """Return HTML in which the parser loses no words, in which it would take long for some.

    A `<` that begins no tag becomes `&lt;`, and so does that of a name which HTML doesn't have and
    that is not closed, as in `List<String>`. Ends without a beginning, and elements in a thousand
    others, become line breaks: for each end the parser looks through all that is open.
    """
    ends = {end[1].lower(): end.start() for end in _END.finditer(html)}  # the last one of a name
    last_comment_end = html.rfind("-->")
    num_open: Counter[str] = Counter()

    def is_markup(match: re.Match[str]) -> bool:
        if match["name"]:
            name = match["name"].lower()
            return name in _NAMES or name in ends or ":" in name
        if match["other"] == "!--":
            return match.start() < last_comment_end
        return match["other"] is not None

    def replacement(match: re.Match[str]) -> str:
        if not is_markup(match):
            return f"&lt;{match[0][1:]}"
        name = (match["name"] or "").lower()
        if not name or name in _VOID:
            return match[0]
        if name in _HIDDEN:
            has_end = match["close"] or ends.get(name, -1) > match.start()
            return match[0] if has_end else ""  # else the parser would hide all that follows
        change = -1 if match["close"] else 1
        if num_open[name] + change < 0 or num_open.total() + change > _MAX_DEPTH:
            return "<br>"
        num_open[name] += change
        return match[0]

    return _MARKUP.sub(replacement, html)


class _TextWriter:
    """Joins the words of HTML with the white space that its elements ask for.

    The parser calls its methods for each tag and text.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._run: list[str] = []  # texts since the last break
        self._gap = ""  # before the next words
        self._marker = ""  # of a list's item, before its first word
        self._next_numbers: list[int | None] = []  # of the open lists; None for one without
        self._num_pres = self._num_hidden = 0  # that are open

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "br":
            self._break_line()
        elif name == "img":
            self._run.append(attributes.get("alt", ""))
        elif name == "li":
            self._start_item()
        elif name in ("ul", "ol"):
            self._break(_gap_around_list(self._next_numbers))
            self._next_numbers.append(1 if name == "ol" else None)
        else:
            self._break(_gap_around(name, is_start=True))
            self._num_pres += name == "pre"
            self._num_hidden += name in _HIDDEN

    def end(self, name: str) -> None:
        self._break(_gap_around(name, is_start=False))
        if name in ("ul", "ol"):
            self._next_numbers.pop()
            self._break(_gap_around_list(self._next_numbers))
        self._num_pres -= name == "pre"
        self._num_hidden -= name in _HIDDEN

    def data(self, text: str) -> None:
        if not self._num_hidden:
            self._run.append(text)

    def comment(self, text: str) -> None:
        pass

    def close(self) -> str:
        self._break("\n")
        return "".join(self._parts)

    def _break(self, gap: str) -> None:
        """End the run of words, unless the gap is ""; the widest gap before a word holds."""
        if not gap:
            return
        text = "".join(self._run).replace("\xa0", " ")
        self._run = []
        if text := text.strip("\n").rstrip() if self._num_pres else _unwrapped(text):
            self._parts += [self._gap if self._parts else "", self._marker, text]
            self._gap = self._marker = ""
        self._gap = max(self._gap, gap, key=len)

    def _break_line(self) -> None:
        if self._num_pres:
            self._run.append("\n")
        else:
            self._break("\n\n" if self._gap and not "".join(self._run).strip() else "\n")

    def _start_item(self) -> None:
        self._break("\n")
        number = self._next_numbers[-1] if self._next_numbers else None
        self._marker = "- " if number is None else f"{number}. "
        if number is not None:
            self._next_numbers[-1] = number + 1


def _gap_around(name: str, *, is_start: bool) -> str:
    if name in _CELLS:
        return "\t" if is_start else ""
    return "\n" if name in _LINES else "\n\n" if name in _BLOCKS - _LISTS else ""


def _gap_around_list(numbers: Sequence[int | None]) -> str:
    return "\n" if numbers else "\n\n"


def _unwrapped(text: str) -> str:
    """Return the lines of a paragraph; as one line if it was only wrapped at a width.

    Programs that make HTML of plain text leave its line ends where they were, and those of code and
    lists matter; an editor's source is wrapped: no line had room for the next one's first word.
    """
    lines = [line for part in text.split("\n") if (line := " ".join(part.split()))]
    width = max(map(len, lines), default=0)
    is_wrapped = all(
        len(line) + 1 + len(after.split(" ", 1)[0]) > width for line, after in pairwise(lines)
    )
    return (" " if is_wrapped else "\n").join(lines)
