"""The language of a text, as far as it can be told."""

from __future__ import annotations

from threading import Thread

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from searchkit.text.languages.identification import identify_language, load_ahead
from searchkit.text.languages.naive_bayes import BATCH_TEXTS, LanguageClassifier
from searchkit.text.languages.names import NAMES, UNKNOWN, language_name

TEXTS = {
    "en": "The bulb lights up because it is in a closed circuit with the battery.",
    "de": "Die Lampe leuchtet, weil sie mit der Batterie in einem Stromkreis liegt.",
    "es": "La bombilla se enciende porque está en un circuito cerrado con la batería.",
    "fr": "L'ampoule s'allume parce qu'elle est dans un circuit fermé avec la pile.",
    "it": "La lampadina si accende perché è in un circuito chiuso con la batteria.",
    "pt": "A lâmpada acende porque está num circuito fechado com a bateria.",
    "nl": "De lamp brandt omdat hij in een gesloten stroomkring met de batterij zit.",
    "pl": "Żarówka świeci, ponieważ jest w zamkniętym obwodzie z baterią.",
    "ru": "Лампочка горит, потому что она в замкнутой цепи с батарейкой.",
    "zh": "灯泡亮了，因为它和电池在一个闭合的电路里。",
    "ja": "電球は電池と閉じた回路にあるので光ります。",
    "ko": "전구는 배터리와 닫힌 회로에 있기 때문에 켜집니다.",
    "ar": "يضيء المصباح لأنه في دائرة مغلقة مع البطارية.",
    "tr": "Ampul, pil ile kapalı bir devrede olduğu için yanar.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence(language: str) -> None:
    assert identify_language(TEXTS[language]) == language
    assert identify_language(TEXTS[language].upper()) in (language, UNKNOWN)


@pytest.mark.parametrize(
    "text", ["ok", "nein", "ja", "idk", "middleware", "42", "x = 3, y = 4, z = 5", "TCP, UDP, HTTP"]
)
def test_what_says_too_little(text: str) -> None:
    assert identify_language(text) == UNKNOWN


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_blank_text_has_none(text: str) -> None:
    assert identify_language(text) is None


def test_comments_in_code_are_no_prose() -> None:
    code = "```python\n# berechnet die Summe der Werte und gibt sie zurück\nreturn sum(x)\n```"
    assert identify_language(code) == UNKNOWN
    assert identify_language(f"{TEXTS['fr']}\n{code}") == "fr"


def test_half_a_surrogate_pair_and_a_long_text() -> None:
    assert identify_language(TEXTS["de"] + "\ud800") == "de"
    assert identify_language((TEXTS["de"] + " ") * 20_000) == "de"


def test_many_texts_at_once_as_the_package_does_one() -> None:
    package = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    package.set_languages(list(NAMES))
    texts = [text[:end] for text in TEXTS.values() for end in (1, 7, 20, 40, None)]
    texts += [*map(str.upper, texts), "", "\ud800", "dobar dan, kako ste danas"]
    texts *= 1 + BATCH_TEXTS // len(texts)
    found = list(LanguageClassifier(NAMES).classify_all(texts))
    wanted = [package.classify(text) for text in texts]
    assert [language for language, _ in found] == [language for language, _ in wanted]
    assert [p for _, p in found] == pytest.approx([p for _, p in wanted], abs=1e-5)


def test_names() -> None:
    assert [language_name(code) for code in ("de", UNKNOWN, "tlh")] == ["German", "not told", "tlh"]
    assert set(TEXTS) <= set(NAMES)


def test_what_identifies_languages_is_loaded_later_where_no_thread_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    load_ahead()
    assert identify_language(TEXTS["de"]) == "de"
