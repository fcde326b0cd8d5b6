"""Formulas in prose: comparisons, arithmetic, logic, and growth such as O(n log n)."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Folding takes the stroke from these and makes plain digits of superscripts.
PROTECTED = str.maketrans(
    {"≠": "\ue000", "∉": "\ue001", "²": "\ue002", "³": "\ue003", "⁴": "\ue004", "ⁿ": "\ue005"}
)
_SUPERSCRIPT = "[\ue002-\ue005]"
_SYMBOLS = {
    "\ue000": "!=", "\ue001": "∉", "\ue002": "^2", "\ue003": "^3", "\ue004": "^4", "\ue005": "^n",
    "≤": "<=", "≥": ">=", "\u00d7": "*", "·": "*", "⇒": "->", "→": "->", "∧": "&&", "\u2228": "||",
}  # fmt: skip
_SAME_SYMBOLS = str.maketrans(_SYMBOLS)
_OPERAND = (
    r"(?:\d+(?:\.\d+)?(?:[a-z]\b|\([^()]*\))?|\([^()]*\)"
    rf"|[^\W\d]\w*(?:\[[^\[\]\s]*\]|\([^()]*\))?){_SUPERSCRIPT}?"
)
_SIGN = r"(?:[-=]>|<=|>=|==|!=|\*\*|&&|\|\||[<>=+*^≤≥\ue000\ue001\u00d7·→⇒∧\u2228\u222a∩∈⊂⊆])"
_FORMULA = re.compile(
    r"\b[oθω]\s?\((?:[^()]|\([^()]*\))+\)"  # of growth: O(n log(n))
    rf"|(?<!\w){_OPERAND}(?:\s*(?:{_SIGN}|[/-])\s*-?{_OPERAND})+"
    rf"|(?<!\w)[a-z0-9]{_SUPERSCRIPT}"
    r"|(?<!\w)[a-z]\w*\((?:[a-z]|\d+)\)"  # sin(x)
)
_OPERATOR = re.compile(_SIGN)
_ARROW = re.compile(r"[-=]>|[→⇒]")
_MATHEMATICAL = re.compile(r"\d|\b[a-z]\b|[()\[\]]")
_SMALL = re.compile(r"[a-z]\s*[-/]\s*\d+|\d+\s*[-/]\s*[a-z]|[a-z]\s*-\s*[a-z]")  # n-1, 2/n, a - b
_GROWTH = re.compile(r"[oθω]\s?\(")
_GREATER = re.compile(r"([^<>=!]+)>(=?)([^<>=!]+)")


def read_formulas(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the (start, end) of each formula in a folded text, and its canonical spelling.

    Args:
        text: A text whose symbols were `PROTECTED` before it was folded.
    """
    for match in _FORMULA.finditer(text):
        if _is_formula(match[0]):
            yield *match.span(), _canonical(match[0])


def _is_formula(text: str) -> bool:
    """Whether a match is more than two words with a sign between them, such as `I/O`."""
    operators = len(_OPERATOR.findall(text))
    if not operators:
        is_call = text.endswith(")") and not re.search(r"[-/]", text)
        is_power = bool(re.search(_SUPERSCRIPT, text))
        return is_call or is_power or bool(_GROWTH.match(text) or _SMALL.fullmatch(text))
    if _ARROW.search(text):  # which also joins the steps of a list
        return all(len(name) == 1 for name in re.findall(r"\w+", text))
    return operators > 1 or bool(_MATHEMATICAL.search(text))


def _canonical(formula: str) -> str:
    """Return the spelling that equal formulas share: `b > a` is `a<b`, and `2 * n` is `2n`."""
    text = re.sub(r"\s+", "", formula.translate(_SAME_SYMBOLS)).replace("**", "^")
    text = text.replace("=>", "->") if _ARROW.search(formula) else text
    text = re.sub(r"\b([a-z])\*\1\b", r"\1^2", text)
    text = re.sub(r"(?<=\d)\*(?=[a-z(])", "", text)
    if _GROWTH.match(text):
        inner = re.sub(r"(?<=[a-z])(?=\d)", "^", re.sub(r"[*()]", "", text[2:-1]))  # n2 for n²
        return f"{text[0]}({'+'.join(sorted(inner.split('+')))})"
    greater = None if "->" in text else _GREATER.fullmatch(text)
    return f"{greater[3]}<{greater[2]}{greater[1]}" if greater else text
