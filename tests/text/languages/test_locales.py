"""A browser is told each answer's language and direction, and nothing where they aren't known."""

from __future__ import annotations

import pytest

from searchkit.text.languages.locales import Locale, locale_of


@pytest.mark.parametrize(
    ("text", "language", "locale"),
    [
        ("Häuser", "de", Locale("de", "ltr")),
        ("هو بروتوكول", "ar", Locale("ar", "rtl")),
        ("HTTP هو بروتوكول", "ar", Locale("ar", "rtl")),  # its first letter is Latin
        ("שרת ולקוח", "he", Locale("he", "rtl")),
        ("only English", "ar", Locale("ar", "auto")),  # the language is a mistake
        ("שרת", "en", Locale("en", "auto")),
        ("42 + 1", "en", Locale("en", "auto")),
        ("", "ar", Locale("ar", "auto")),
        ("事件循环", "zh", Locale("zh", "ltr")),
        ("whatever", "und", Locale("", "auto")),
        ("whatever", None, Locale("", "auto")),
        ("whatever", '"><script>', Locale("", "auto")),
        ("whatever", "tlh", Locale("", "auto")),
    ],
)
def test_the_locale_is_that_of_the_language(
    text: str, language: str | None, locale: Locale
) -> None:
    assert locale_of(text, language) == locale
