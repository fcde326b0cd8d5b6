"""The languages of the answers of an ingest, and which of them the index's model doesn't know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from searchkit.encoding.models.names import DEFAULT_MODEL, MULTILINGUAL
from searchkit.index.incoming.records import Update
from searchkit.index.incoming.targets import Target
from searchkit.text.languages.identification import MIN_BYTES, identify_languages, load_ahead
from searchkit.text.languages.names import UNKNOWN, language_name

# The languages of models whose name tells them.
KNOWN_LANGUAGES = {
    DEFAULT_MODEL: frozenset({"en"}),
    f"sentence-transformers/{DEFAULT_MODEL}": frozenset({"en"}),
    MULTILINGUAL: frozenset("ar de en es fr it ja ko nl pl pt ru th tr zh".split()),
}
MIN_SHARE = 0.02  # of the answers of an ingest: a language with fewer may be a mistake


class Languages:
    """Gives answers their languages, and counts those that are new or changed.

    What identifies languages is loaded in a thread: at once, if the index is empty and all answers
    are new, and else beside the model of the index, when the first answer needs both.

    Args:
        target: The index.
    """

    def __init__(self, target: Target) -> None:
        self._counts: Counter[str] = Counter()
        self._target = target
        self._is_loading = target.is_empty()
        if self._is_loading:
            load_ahead()

    def identify(self, updates: Iterable[Update]) -> list[Update]:
        """Return updates whose answers have a language.

        One that was given stays, and that of a text which hasn't changed (`Identity.update`).
        """
        updates = list(updates)
        languages = [update.new.language for update in updates]
        unknown = [n for n, language in enumerate(languages) if language is None]
        if not self._is_loading and any(_needs_both_models(updates[n]) for n in unknown):
            self._is_loading = True
            load_ahead()
            self._target.load_model()
        found = identify_languages([updates[n].new.text for n in unknown])
        for n, language in zip(unknown, found, strict=True):
            languages[n] = language
        self._counts.update(
            language
            for update, language in zip(updates, languages, strict=True)
            if language and not _is_same_text(update)
        )
        for n in unknown:
            if languages[n]:
                updates[n] = updates[n].with_new(replace(updates[n].new, language=languages[n]))
        return updates

    def sentences(self, model: str | None) -> Iterator[str]:
        """Yield a warning for the languages that a model doesn't know.

        Args:
            model: The model's name; None if there is none yet.
        """
        known = KNOWN_LANGUAGES.get(model or "")
        total = sum(self._counts.values())
        foreign = {
            language: count
            for language, count in self._counts.most_common()
            if known and language not in (*known, UNKNOWN) and count >= MIN_SHARE * total
        }
        if not foreign:
            return
        parts = [f"{count:,} in {language_name(code)}" for code, count in foreign.items()]
        remedy = ""
        if foreign.keys() & KNOWN_LANGUAGES[MULTILINGUAL]:
            remedy = f"; one that does: searchkit reindex --model {MULTILINGUAL}"
        answers = f"{', '.join(parts)}, of {total:,} new or changed answers"
        yield f"{answers}: {model} doesn't know {_them(list(foreign))}{remedy}"


def _needs_both_models(update: Update) -> bool:
    """Whether a text is to be embedded, and its language perhaps identified."""
    new, old = update.new, update.old
    is_new_text = old is None or old.text != new.text
    return is_new_text and len(new.text.strip().encode(errors="replace")) >= MIN_BYTES


def _is_same_text(update: Update) -> bool:
    """Whether the language of an update's text was found before."""
    new, old = update.new, update.old
    return bool(old and not update.is_other and old.language and old.text == new.text)


def _them(languages: Sequence[str]) -> str:
    return "that language" if len(languages) == 1 else "these languages"
