"""Preparation: the form in which a model reads texts, where it was trained on another than theirs.

A model folder says in `searchkit.json` how its texts are prepared, and whatever embeds with it does
so. What people see, passages and evidence, is always the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

PREPARATIONS = ("keywords",)
_JOINED = re.compile(r"(?<=\w)['\u2019\-\u2010\u2011.](?=\w)|(?<=\b\w)/(?=\w\b)")  # node.js, I/O
_WORD = re.compile(r"\w+")
# Words that stand for no thing: articles, pronouns, auxiliaries, prepositions, conjunctions. Those
# that turn a sentence into its opposite (no, not, never, without) are kept.
_FUNCTION_WORDS = frozenset(
    "a about above after again all also although am among an and another any are as at be because "
    "been before being below between both but by can could did do does doing done during each "
    "either else etc for from further had has have having he her here hers herself him himself his "
    "how i if in into is it its itself just may me might mine more most much must my myself of off "
    "on once only onto or other our ours ourselves out over own shall she should since so some "
    "such than that the their theirs them themselves then there these they this those though "
    "through thus to too under until up upon us very was we were what when where whether which "
    "while who whom whose why will with would you your yours yourself yourselves".split()
)


def prepare(texts: Sequence[str], how: str) -> list[str]:
    """Bring texts into the form that a model reads.

    Args:
        texts: As people wrote them.
        how: One of `PREPARATIONS`, or "" for as they are.

    Raises:
        ValueError: if there is no such preparation.
    """
    if not how:
        return list(texts)
    if how != "keywords":
        raise ValueError(f"no preparation {how!r}; there is {', '.join(PREPARATIONS)}")
    return [keywords(text) for text in texts]


def keywords(text: str) -> str:
    """Leave the words that carry the meaning: lower case, as they stand in a dictionary.

    `express non-blocking I/O operations` becomes `express nonblocking io operation`. A text of
    nothing else than function words and marks is only put into lower case.
    """
    import simplemma

    words = _WORD.findall(_JOINED.sub("", text).lower())
    kept = [word for word in words if word not in _FUNCTION_WORDS]
    lemmas = (simplemma.lemmatize(word, lang="en").lower() for word in kept)
    return " ".join(lemmas) or text.lower().strip()
