"""Which files are documents and texts, and how the text gets out of each."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from searchkit.core.errors import BadInput
from searchkit.sources.decoding import buffered, lines
from searchkit.sources.documents.notebook import notebook_texts
from searchkit.sources.documents.opendocument import odt_text
from searchkit.sources.documents.pdf import pdf_text
from searchkit.sources.documents.richtext import rtf_text
from searchkit.sources.documents.word import docx_text
from searchkit.text.html import html_to_text

DOCUMENT_READERS: dict[str, Callable[[bytes, str], str]] = {
    ".docx": docx_text,
    ".docm": docx_text,
    ".odt": odt_text,
    ".ott": odt_text,
    ".pdf": pdf_text,
    ".rtf": rtf_text,
}
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
NOTEBOOK_SUFFIX = ".ipynb"
OTHER_DOCUMENTS = frozenset(".doc .dot .epub .key .odp .pages .ppt .pptx .wpd .wps".split())
PROSE_SUFFIXES = frozenset(
    ".txt .text .md .markdown .mkd .rst .adoc .asciidoc .org .tex .latex .ltx .typ .log "
    ".textile".split()
)
CODE_SUFFIXES = frozenset(
    ".a68 .ada .adb .ads .agda .als .applescript .asm .asp .aspx .awk .bas .bash .bat .bib "
    ".c .c++ .cbl .cc .cfg .cjs .cl .clj .cljc .cljs .cls .cmake .cmd .cob .coffee .conf "
    ".coq .cpp .cr .cs .css .cu .cuh .cxx .d .dart .dats .dfy .do .dpr .e .edn .elm .erl .ex "
    ".exs .f .f03 .f08 .f77 .f90 .f95 .fish .for .fs .fsi .fsx .fth .g4 .gd .glsl .gms .go "
    ".gradle .graphql .groovy .h .h++ .haml .hh .hpp .hrl .hs .hx .hxx .idr .inc .ini .ino "
    ".java .jl .js .json5 .jsp .jsx .kt .kts .l .lean .less .lhs .lisp .lsp .lua .m .mjs .mk "
    ".ml .mli .mm .mod .mpl .mts .mzn .nb .nim .nix .oz .p .pas .php .pike .pl .plantuml "
    ".pls .plt .pm .pp .prolog .properties .proto .ps1 .psm1 .puml .purs .py .pyi .pyw .pyx "
    ".qml .r .rb .re .rkt .rmd .robot .rs .s .sas .sass .sb .scala .scm .scss .sh .smt2 .sml "
    ".sol .sps .sql .ss .st .sv .svelte .swift .tcl .tf .thy .toml .ts .tsx .v .vb .vba .vbs "
    ".vhd .vhdl .vue .wat .wl .wls .y .yaml .yml .zig .zsh".split()
)


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A text of a document.

    Attributes:
        text: The plain text.
        question: The question that it answers, where the document says so.
        original: What the text was made of, if that is a text, too.
    """

    text: str
    question: str | None = None
    original: str | None = None


def suffix_of(name: str) -> str:
    """Return the suffix of a file's name in lower case, with its dot; "" without one."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def is_document(name: str) -> bool:
    """Whether a file's name ends as that of a document, whose text has to be taken out of it."""
    suffix = suffix_of(name)
    return suffix in DOCUMENT_READERS or suffix in HTML_SUFFIXES or suffix == NOTEBOOK_SUFFIX


def is_text(name: str) -> bool:
    """Whether a file's name ends as that of a document, of a text or of source code."""
    suffix = suffix_of(name)
    return suffix in PROSE_SUFFIXES or suffix in CODE_SUFFIXES or is_document(name)


def is_code(name: str) -> bool:
    """Whether a file's name ends as that of source code."""
    return suffix_of(name) in CODE_SUFFIXES


def document_texts(
    name: str, data: bytes, source: str, encoding: str | None = None
) -> list[DocumentText]:
    """Return the texts of a file: one, or those of a notebook's questions.

    Args:
        name: The file's name, which decides how it is read.
        data: Its content.
        source: Its name for errors.
        encoding: The encoding of text files; None takes the byte order mark's, or else UTF-8.

    Raises:
        BadInput: if it can't be read, is damaged or encrypted, or holds no text but pictures.
        MissingExtra: if a library for its format isn't installed.
    """
    suffix = suffix_of(name)
    if reader := DOCUMENT_READERS.get(suffix):
        return [DocumentText(_without_halves(reader(data, source)))]
    text = _decoded(data, source, encoding)
    if suffix in HTML_SUFFIXES:
        return [DocumentText(html_to_text(text), original=text)]
    if suffix == NOTEBOOK_SUFFIX:
        return [
            DocumentText(_without_halves(text), question and _without_halves(question))
            for question, text in notebook_texts(text, source)
        ]
    return [DocumentText(text)]


def _without_halves(text: str) -> str:
    """Return a text with the pairs of surrogates as characters, and others replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _decoded(data: bytes, source: str, encoding: str | None) -> str:
    text = "".join(lines(buffered(io.BytesIO(data)), source, encoding))
    if "\0" in text:
        raise BadInput.at(source, None, "binary, not text")
    return text
