"""Keywords in other languages: without their function words, and found without spaces."""

from __future__ import annotations

import pytest

from searchkit.clustering.keywords import KeywordText, cluster_keywords
from searchkit.text.languages.function_words import function_words
from searchkit.text.words import split_words


def text(words: str, language: str | None) -> KeywordText:
    return KeywordText(words, split_words(words), language)


GERMAN = ["Die Ereignisschleife ist für die Callbacks da", "Ereignisschleife und Callbacks"]
OTHERS = {
    "de": ["Die Datenbank und ihre Tabellen", "wird die Datenbank mit einer Tabelle"],
    "fr": ["Les requêtes sont dans une file", "des requêtes pour cette file"],
    "es": ["Las canciones están en una lista", "estas canciones son como una lista"],
    "ru": ["Это очередь запросов для них", "или запросов если очередь"],
    "zh": ["数据库是存储数据的系统", "我们把它写入数据库"],
    "ja": ["データベースは情報を保存する", "これをデータベースに書く"],
    "ko": ["서버는 요청을 처리합니다", "그리고 서버는 이 요청을"],
    "ar": ["الخادم هو الذي يرد على الطلبات", "من الخادم إلى المتصفح"],
}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", {"datenbank"}),
        ("fr", {"requêtes", "file"}),
        ("es", {"canciones", "lista"}),
        ("ru", {"запросов", "очередь"}),
        ("zh", {"数据库"}),
        ("ja", {"データベース"}),
        ("ko", {"서버는", "요청을"}),
        ("ar", {"الخادم"}),
    ],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_keywords_are_no_function_words(language: str, expected: set[str], is_known: bool) -> None:
    """Also of a text whose language can't be told, beside others whose language can."""
    known = [text(words, "de") for words in GERMAN]
    others = [text(words, language) for words in OTHERS[language]]
    if not is_known:
        others.append(text(OTHERS[language][0], "und"))
    first, second = cluster_keywords([known, others])
    assert set(first[:2]) == {"callbacks", "ereignisschleife"}
    assert expected <= set(second)
    stop_words = function_words("de") | function_words(language)
    assert not stop_words & {*first, *second}


def test_an_article_is_no_part_of_a_word() -> None:
    texts = [text("l'ordre d'une requête, qu'on lit", "fr"), text("L\u2019ordre, c'est tout", "fr")]
    ((*found,),) = cluster_keywords([texts], 9)
    assert found == ["ordre", "lit", "requête"]


def test_a_function_word_of_another_language_can_be_a_keyword() -> None:
    english = [text("the cells die and die", "en"), text("cells that die", "en")]
    found = cluster_keywords([english, [text(words, "de") for words in GERMAN]])
    assert "die" in found[0] and "die" not in found[1]


def test_runs_of_characters_do_not_overlap() -> None:
    ((*found,),) = cluster_keywords([[text("事件循环检查队列", "zh"), text("事件循环", "zh")]])
    assert found[0] == "事件循环"
    assert not any(set(one) & set(other) for one in found for other in found if one != other)


@pytest.mark.parametrize("language", [None, "und", "tlh", "", "th"])
def test_other_languages_have_no_function_words(language: str | None) -> None:
    assert function_words(language) == frozenset()


def test_english_is_left_as_it_was() -> None:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    assert ENGLISH_STOP_WORDS < function_words("en")
