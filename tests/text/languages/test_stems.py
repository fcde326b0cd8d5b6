"""Stems of each language, with accents and without."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from searchkit.text.languages.names import NAMES
from searchkit.text.languages.stems import ALGORITHMS, indexed_stems, query_stems, stem_spans

SAMPLES = {
    **{"ar": "المكتبات والكتب", "ca": "les biblioteques tancades", "cs": "rychlými počítači"},
    **{"da": "husene og bøgerne", "de": "Häuser größere Straßen", "el": "γρήγορους υπολογιστές"},
    **{"es": "canciones rápidamente", "et": "raamatutes majadesse", "fa": "کتابخانه‌های بزرگ"},
    **{"fi": "taloissamme kirjoja", "fr": "généralités mangées", "hi": "लड़कियाँ किताबों"},
    **{"hu": "házakban könyveket", "id": "membacakan perpustakaannya", "it": "velocemente città"},
    **{"lt": "namuose knygomis", "nl": "huizen snelheden", "no": "husene bøkene"},
    **{"pl": "komputerami szybkiego", "pt": "computações rapidamente", "ro": "calculatoarelor"},
    **{"ru": "быстрыми компьютерами", "sr": "рачунарима брзог", "sv": "husen böckerna"},
    **{"tr": "kitaplarımızdan evlerde"},
}


def test_every_algorithm_is_there_and_gives_the_stems_that_indexes_have() -> None:
    assert set(ALGORITHMS) == set(SAMPLES) < set(NAMES)
    stems = {code: indexed_stems(text, code) for code, text in SAMPLES.items()}
    assert all(stems.values())
    digest = hashlib.sha256(repr(sorted(stems.items())).encode()).hexdigest()
    # Another one needs another format of the index: what is removed must be what was added.
    assert digest.startswith("fb13688a9c9c")


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("de", "Häuser", ["haus", "HÄUSERN", "hauser", "Hauses", "haeuser"]),
        ("de", "Straßen", ["strasse", "Straße", "STRASSE"]),
        ("de", "Fuß", ["fuss"]),
        ("de", "Hau\u0308ser", ["haus"]),  # decomposed
        ("fr", "l'école", ["écoles", "ecoles", "l'ecole", "d\u2019écoles"]),
        ("fr", "généralités", ["générale", "generalites", "généralité"]),
        ("es", "canciones", ["canción", "cancion"]),
        ("it", "dell'informazione", ["informazioni", "l'informazione"]),
        ("pl", "żółtego", ["żółty", "zolty"]),
        ("tr", "kitaplarımız", ["kitap", "kitaplarimiz"]),
        ("ar", "الخادم", ["خادم", "الخَادِم"]),
        ("ru", "компьютерами", ["компьютер"]),
        ("und", "Häuser", ["haus"]),
    ],
)
def test_all_forms_of_a_word_share_a_stem(language: str, text: str, words: list[str]) -> None:
    for word in words:
        stems = query_stems(word, ["de"] if language == "und" else [language])
        assert stem_spans(text, language, stems), word


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Häuser", None),
        ("Häuser", "tlh"),
        ("Häuser", ""),
        ("houses", "en"),
        ("事件循环", "zh"),
        ("ฟังก์ชัน", "th"),
        ("x86 html5 ab", "de"),
        ("Häuser " * 40, "und"),
        ("Servern", "und"),  # may be English
        ("haus", "de"),  # is its stem
        ("", "de"),
    ],
)
def test_other_texts_get_none(text: str, language: str | None) -> None:
    assert indexed_stems(text, language) == ""


@pytest.mark.parametrize("word", ["", "'", "l'", "node.js", "a-b", "x", "42", "\ue000de", "l'l'l'"])
def test_what_is_no_single_word_has_no_stem(word: str) -> None:
    assert query_stems(word, list(ALGORITHMS)) == []


def test_offsets_are_those_of_the_words() -> None:
    text = "🏠 Die Häuser, das Haus; mixed English houses"
    spans = stem_spans(text, "de", query_stems("häusern", ["de"]))
    assert [text[start:end] for start, end in spans] == ["Häuser", "Haus"]


def test_the_stems_of_another_package_are_never_taken(tmp_path) -> None:
    (tmp_path / "Stemmer.py").write_text("algorithms, Stemmer = None, None\n")
    program = (
        "from searchkit.text.languages.stems import indexed_stems as s; print(s('Häuser', 'de'))"
    )
    path = [str(tmp_path), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}; {program}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "haus\n"
