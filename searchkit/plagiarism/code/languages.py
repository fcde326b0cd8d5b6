"""Languages: which answers are programs, and in which language they are written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from searchkit.core.records import Answer

MIN_PROGRAM_SHARE = 2 / 3  # of the answers to a question that are programs
MIN_CODE_LINES = 0.6  # share of the lines of a program that look like code
MIN_FENCED = 0.5  # share of a program's characters that are in fenced blocks
MAX_LINE_LENGTH = 300  # characters; a longer line is taken for prose
MAX_PROGRAMS = 1_500  # answers to a question, all pairs of which are measured
MAX_SAMPLED = 20  # answers to a question that are looked at, to tell whether they are programs
MAX_GUESSED = 20  # answers from which the language of a question is guessed
FALLBACK = "java"  # whose lexer reads what all languages with braces have in common

ALIASES = {
    "bash": "bash", "c": "c", "cc": "cpp", "cpp": "cpp", "cs": "csharp", "cxx": "cpp",
    "dart": "dart", "ex": "elixir", "erl": "erlang", "f90": "fortran", "go": "go", "h": "c",
    "hpp": "cpp", "hs": "haskell", "java": "java", "jl": "julia", "js": "javascript",
    "jsx": "javascript", "kt": "kotlin", "lisp": "common-lisp", "lua": "lua", "m": "octave",
    "mjs": "javascript", "ml": "ocaml", "pas": "delphi", "php": "php", "pl": "perl",
    "ps1": "powershell", "py": "python", "r": "r", "rb": "ruby", "rkt": "racket", "rs": "rust",
    "scala": "scala", "scm": "scheme", "sh": "bash", "sql": "sql", "swift": "swift",
    "ts": "typescript", "tsx": "typescript", "v": "verilog", "vb": "vb.net", "vhd": "vhdl",
}  # fmt: skip
"""The lexer of Pygments for the ending of a file's name."""
_TAGS = {
    "c#": "csharp", "c++": "cpp", "csharp": "csharp", "golang": "go", "haskell": "haskell",
    "javascript": "javascript", "kotlin": "kotlin", "matlab": "octave", "mysql": "sql",
    "octave": "octave", "perl": "perl", "postgresql": "sql", "python": "python",
    "python3": "python", "ruby": "ruby", "rust": "rust", "shell": "bash", "sqlite": "sql",
    "typescript": "typescript",
}  # fmt: skip

# Possessive quantifiers, so that a million backticks take linear time.
_FENCE = re.compile(
    r"^[ \t]*+(```++|~~~++)[ \t]*+([\w#+]*+)[^\n]*+\n(.*?)(?:^[ \t]*+\1[ \t]*+$|\Z)", re.M | re.S
)
_COMMENT_LINE = re.compile(r"\s*(?:#(?!include|define|if|endif)|//|/?\*|--|%|\{-|\"\"\")")
_CODE_LINE = re.compile(
    r"[;{}]\s*(?://.*|#.*)?$|^\s*[})\]]+[;,]?$|=>|->|<-|:=|::|&&|\|\||[=!<>]=|[+\-*/%]=|\+\+"
    r"|^\s*(?:@\w+|\$?[\w.\[\], ]+\s*=\s*[^\s=].*)$"
    r"|^\s*(?:\w[\w.]*\s+)*[\w.]+\s*\(.*\)\s*[;:{,]?$"
    r"|^\s*(?:def|class|if|elif|else|for|while|try|except|finally|with|match|case|do|switch)\b.*:$"
    r"|^\s*(?:return|import|from \S+ import|print|pass|break|continue|raise|yield|else|end\w*|do"
    r"|begin|then|fi|done|module|where|let|in|function|local|public|private|protected|static"
    r"|package|using|namespace|#\w+)\b[^.!?]*;?$"
    r"|^\s*(?:where|let|in|data|type|newtype|instance|\|)\s.*=|^\s*[a-z]\w*(?:\s+\S+)*\s+=\s"
    r"|^\s*(?:select|from|where|(?:left |right |inner |outer |cross |full )*join|on|and|or"
    r"|group by|order by|having|insert into|values|update|set|delete from|create \w+|drop \w+"
    r"|alter \w+|with|union(?: all)?|limit|as)\b.*(?<![.!?])$",
    re.I,
)
# What is seen in a language, and in few others; its score is the number of lines that have it.
_MARKS = {
    name: re.compile(pattern, re.M)
    for name, pattern in {
        "python": r"^\s*(?:def \w+\(.*:|(?:el)?if .*:\s*$|for \w.* in .*:|while .*:\s*$"
        r"|import \w+\s*$"
        r"|from \S+ import|class \w+.*:\s*$|else:|return [^;]*[^;\s]$)",
        "java": r"^\s*(?:public|private|protected) |System\.out|^import java|String\[\]|^\s*(?:int|"
        r"double|String|boolean|final) \w+.*;",
        "javascript": r"^\s*(?:const|let|var) \w|=>|===|console\.log|function\s*\w*\s*\(.*\{|"
        r"document\.|require\(",
        "typescript": r"^\s*(?:interface|type) \w+|: (?:string|number|boolean)\b",
        "c": r"^\s*#\s*include\s*<\w+\.h>|printf\s*\(|scanf\s*\(|malloc\s*\(|^\s*(?:int|char|float|"
        r"double|void|struct) \*?\w+.*[;{(]",
        "cpp": r"std::|^\s*#\s*include\s*<\w+>|cout\s*<<|cin\s*>>|using namespace|template\s*<",
        "csharp": r"^\s*using System|Console\.Write|namespace \w+",
        "sql": r"(?i)^\s*(?:select|from|where|insert into|update|delete from|create table|group by|"
        r"order by|(?:left |inner )?join|having|values|union)\b",
        "r": r"<-|\bfunction\s*\(.*\)\s*\{?$|library\(|\bc\(|data\.frame|%>%|\bTRUE\b|\bNULL\b",
        "octave": r"^\s*(?:function .*=|end\s*;?$|endfunction|endif|endwhile|endfor)|disp\(|"
        r"zeros\(|\.\*|^\s*%|^\s*(?:for \w+\s*=.*:|if .*[^:{]$|while .*[^:{]$)|fprintf\(",
        "haskell": r"^\w+\s*::|^module \w|^import (?:qualified )?[A-Z]|^\s*where\b|<\$>|^\s*\|"
        r"|\bcase .* of"
        r"|^\s*let |^[a-z]\w*(?:\s+[\w\[\]()_:]+)*\s+=\s",
        "go": r"^package \w+|^func |:=|fmt\.",
        "ruby": r"^\s*(?:def \w+[^:]*|end|puts .*|require '.*)$|\.each\b|\bdo \|",
        "php": r"<\?php|\$\w+\s*=|\becho ",
        "rust": r"\bfn \w+|\blet mut |println!|impl \w+",
        "bash": r"^#!/bin/(?:ba)?sh|^\s*(?:fi|done|esac)\s*$|\becho |\$\{?\w+",
    }.items()
}  # fmt: skip


def fenced_blocks(text: str) -> list[tuple[int, int]]:
    """Return the offsets (start, end) of what stands in fenced blocks, without the fences."""
    return [match.span(3) for match in _FENCE.finditer(text) if match[3].strip()]


def are_programs(answers: Sequence[Answer]) -> bool:
    """Return whether the answers to a question are programs: two thirds of them or more.

    More than `MAX_PROGRAMS` are compared like prose. Of many answers `MAX_SAMPLED` are looked at,
    which stand evenly apart.
    """
    if len(answers) > MAX_PROGRAMS:
        return False
    sample = answers[:: -(-len(answers) // MAX_SAMPLED)] if answers else []
    rest = (1 - MIN_PROGRAM_SHARE) * len(sample)  # others that there may be
    for answer in sample:
        rest -= not is_program(answer)
        if rest < 0:
            return False
    return bool(sample)


def is_program(answer: Answer) -> bool:
    """Return whether an answer is a program, by its file's name or by its lines."""
    if _by_file_name(answer):
        return True
    text = answer.text
    if fences := fenced_blocks(text):
        inside = sum(len(text[start:end].strip()) for start, end in fences)
        return inside >= MIN_FENCED * len(text.strip())
    lines = [line for line in text.splitlines() if line.strip()]
    code = [line for line in lines if not _COMMENT_LINE.match(line)]
    if len(code) < 2:
        return False
    count = sum(len(line) <= MAX_LINE_LENGTH and bool(_CODE_LINE.search(line)) for line in code)
    return count >= MIN_CODE_LINES * len(code)


def language_of(answers: Sequence[Answer]) -> str:
    """Return the language of most answers to a question, as the alias of a lexer of Pygments.

    That is said by the names of their files, or else by the tags of fenced blocks, or else it is
    guessed from what the answers hold.
    """
    for read in (_by_file_name, _by_fence):
        names = Counter(name for answer in answers if (name := read(answer)))
        if names:
            return min(names, key=lambda name: (-names[name], name))
    return guess_language([answer.text for answer in answers[:MAX_GUESSED]])


def guess_language(texts: Sequence[str]) -> str:
    """Return the language whose marks stand in most lines of programs in one language."""
    scores = {
        name: sum(
            min(len(text.splitlines()), sum(1 for _ in marks.finditer(text))) for text in texts
        )
        for name, marks in _MARKS.items()
    }
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] else FALLBACK


def _by_file_name(answer: Answer) -> str | None:
    if not answer.source:
        return None
    ending = PurePosixPath(answer.source).suffix.lower().removeprefix(".")
    return ALIASES.get(ending)


def _by_fence(answer: Answer) -> str | None:
    tags = Counter(match[2].lower() for match in _FENCE.finditer(answer.text) if match[2])
    for tag, _ in tags.most_common():
        if alias := _TAGS.get(tag) or ALIASES.get(tag):
            return alias
    return None
