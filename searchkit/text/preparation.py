"""Preparation: a change to texts that some models need before they embed them.

A model that was trained on prepared texts names the preparation in its `searchkit.json`, and every
encoder that loads the model applies it. Passages and evidence always show the original text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from searchkit.core.errors import as_list

PREPARATIONS = ("keywords",)
_JOINERS = re.compile(r"(?<=\w)['\u2019\-\u2010\u2011.](?=\w)|(?<=\b\w)/(?=\w\b)")  # node.js, I/O
_WORD = re.compile(r"\w+")
# Articles, pronouns, auxiliaries, prepositions and conjunctions. Negations (no, not, never,
# without) are not in the list, because they reverse the meaning of a sentence.
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


def prepare(texts: Sequence[str], preparation: str) -> list[str]:
    """Return the texts in the form that a model reads.

    Args:
        texts: The original texts.
        preparation: One of `PREPARATIONS`, or "" to leave the texts as they are.

    Raises:
        ValueError: if there is no such preparation.
    """
    if not preparation:
        return list(texts)
    if preparation != "keywords":
        raise ValueError(f"no preparation {preparation!r}; there is {', '.join(PREPARATIONS)}")
    return [reduce_to_keywords(text) for text in as_list("texts", texts, str)]


def reduce_to_keywords(text: str) -> str:
    """Return the content words of an English text, lemmatized and in lower case.

    `express non-blocking I/O operations` becomes `express nonblocking io operation`. A text that
    has only function words and punctuation is put into lower case and not changed otherwise.
    """
    import simplemma

    words = _WORD.findall(_JOINERS.sub("", text).lower())
    content_words = [word for word in words if word not in _FUNCTION_WORDS]
    lemmas = (simplemma.lemmatize(word, lang="en").lower() for word in content_words)
    return " ".join(lemmas) or text.lower().strip()
