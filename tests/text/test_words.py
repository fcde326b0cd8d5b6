"""Words: folded words of prose, normalized tokens of code, and stable hashes of sequences."""

from __future__ import annotations

import gc
import time
import weakref
from itertools import pairwise
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.plagiarism.overlap import shared_runs
from searchkit.text.words import (
    NAME,
    NUMBER,
    TEXT,
    code_spans,
    distinct_sequences,
    sequences,
    shared_words,
    split_sentences,
    split_words,
)

FENCED = "Look:\n```js\nlet total = 1; // count\nadd(total, 'x');\n```\nThat is all."
PLAIN = "I wrote this:\nfor (let i = 0; i < n; i++) {\n  total += i;\n}\nIt adds them up."


def tokens(text: str) -> list[str]:
    return split_words(text).tokens


def test_prose_is_folded_words() -> None:
    assert tokens("The Event-Loop doesn’t BLOCK.") == ["the", "event", "loop", "doesnt", "block"]


def test_scripts_without_spaces_are_cut_into_characters() -> None:
    assert tokens("事件循环 runs 非阻塞") == [*"事件循环", "runs", *"非阻塞"]


def test_words_have_offsets_in_the_original_text() -> None:
    text = "Ein Ｂig café\u200b loop"
    words = split_words(text)
    assert [text[a:b] for a, b in zip(words.starts, words.ends, strict=True)] == [
        "Ein", "Ｂig", "café", "loop",
    ]  # fmt: skip
    assert words.span(1, 2) == (4, 12)
    assert words.hidden == [12]


def test_a_word_ends_after_the_signs_that_stand_on_its_last_letter() -> None:
    text = "ผู้ใช้ cafe\u0301 loop"
    words = split_words(text)
    spans = [text[a:b] for a, b in zip(words.starts, words.ends, strict=True)]
    assert spans == ["ผู้", "ใ", "ช้", "cafe\u0301", "loop"]


def test_names_literals_and_comments_of_fenced_code_make_no_difference() -> None:
    renamed = FENCED.replace("total", "sum").replace("'x'", '"other"').replace("// count", "")
    assert tokens(FENCED) == tokens(renamed)
    assert {NAME, NUMBER, TEXT} <= set(tokens(FENCED))
    assert split_words(FENCED).is_code.tolist().count(True) == 12


def test_code_is_recognized_without_fences_and_white_space_makes_no_difference() -> None:
    (span,) = code_spans(PLAIN)
    assert PLAIN[slice(*span)].startswith("for (")
    assert PLAIN[slice(*span)].endswith("}")
    squeezed = PLAIN.replace("  total += i;", "total   +=   i ;")
    assert tokens(PLAIN) == tokens(squeezed)


def test_prose_with_a_semicolon_is_no_code() -> None:
    assert code_spans("One thing; and another.\nIt waits (a while), then runs.") == []
    assert code_spans("") == []


def test_sentences_cover_prose_and_take_code_as_one() -> None:
    text = "First we wait. Then we go on! Dr. No\n- a list of things\n" + FENCED
    found = [text[a:b] for a, b in split_sentences(text)]
    assert found[:2] == ["First we wait.", "Then we go on!"]
    assert sum("let total" in sentence for sentence in found) == 1
    assert not any(sentence.startswith("```") for sentence in found)
    assert split_sentences("") == []


@pytest.mark.parametrize(
    "sentences",
    [
        ["当调用栈为空时，事件循环会执行回调函数。", "他说：“主键是唯一的。”", "对吗？"],
        ["主キーは行を識別します。", "「はい、そうです。」", "月の引力です！"],
        ["تستخدم النباتات ضوء الشمس.", "هل هذا صحيح تماما؟", "نعم هذا صحيح جدا."],
        ["पौधे सूरज की रोशनी से बढ़ते हैं।", "यह सही उत्तर है।"],
        ["Man nimmt z. B. einen Stapel.", "Das ist d. h. u. a. eine Liste."],
        ["It returns x.", "Then y is the sum."],
    ],
)
def test_sentences_of_other_languages(sentences: list[str]) -> None:
    text = " ".join(sentences) if " " in sentences[0] else "".join(sentences)
    assert [text[a:b] for a, b in split_sentences(text)] == sentences


@pytest.mark.parametrize(
    ("joint", "sentences"),
    [
        ("", ["पौधे सूरज की रोशनी से बढ़ते हैं।", "यह सही उत्तर है।"]),
        (
            "",
            [
                "浏览器会把它发回去!",
                "服务器知道(这很重要。)",
                "然后呢?",
                "他说：“会（大概。）”",
                "结束了。",
            ],
        ),
        (" ", ["ဘရောက်ဇာသည် ကွတ်ကီးကို သိမ်းဆည်းသည်။", "ဆာဗာသည် ၎င်းကို ဖတ်သည်။"]),
        ("", ["កម្មវិធីរុករករក្សាទុកខូគី។", "ម៉ាស៊ីនមេអានវារាល់ពេល។"]),
        (" ", ["አሳሹ ኩኪውን ያስቀምጣል።", "አገልጋዩ በእያንዳንዱ ጥያቄ ያነበዋል።"]),
        (" ", ["เบราว์เซอร์เก็บคุกกี้ที่เซิร์ฟเวอร์ส่งมา", "ทุกครั้งที่ร้องขอเบราว์เซอร์จะส่งคุกกี้กลับไป"]),
        (" ", ["ไฟล์ index.html แมว หมา และ นก อยู่ในนี้"]),
    ],
    ids=["danda", "half-width", "Burmese", "Khmer", "Amharic", "Thai", "Thai list"],
)
def test_sentences_end_where_no_space_or_no_stop_is(joint: str, sentences: list[str]) -> None:
    text = joint.join(sentences)
    assert [text[a:b] for a, b in split_sentences(text)] == sentences


@given(st.text(alphabet="ab c.\n;{}()=`'\"/*#\u200bé中", max_size=80))
def test_anything_can_be_split(text: str) -> None:
    words = split_words(text)
    assert (words.starts < words.ends).all()
    assert (words.starts[1:] >= words.starts[:-1]).all()
    for start, end in split_sentences(text):
        assert text[start:end].strip()


def test_sequences_are_all_prose_or_all_code_and_have_equal_hashes_if_equal() -> None:
    words = split_words("one two three one two three\n" + FENCED)
    hashes, firsts = sequences(words, (2, 6))
    naive = []
    for first in range(len(words)):
        size = 6 if words.is_code[first] else 2
        inside = words.is_code[first : first + size]
        if len(inside) == size and (inside == words.is_code[first]).all():
            naive.append((tuple(words.tokens[first : first + size]), first))
    assert sorted(firsts.tolist()) == [first for _, first in naive]
    by_hash = dict(zip(firsts.tolist(), hashes.tolist(), strict=True))
    for left, a in naive:
        for right, b in naive:
            assert (left == right) == (by_hash[a] == by_hash[b])


def test_hashes_are_the_same_everywhere() -> None:
    assert split_words("loop").hashes.tolist() == [0x1D2B504FE95B549D]


def test_sentences_of_a_long_text_are_joined() -> None:
    text = "One sentence more. " * 5_000
    spans = split_sentences(text)
    assert 200 <= len(spans) <= 400
    assert all(after[0] >= before[1] for before, after in pairwise(spans))
    assert spans[-1][1] == len(text.rstrip())


@pytest.mark.parametrize(
    "text",
    [
        "`" * 300_000,
        "f(" * 100_000,
        "a.b;" * 100_000,
        "/* " * 50_000,
        '"' * 100_000,
        "x" * 1_000_000,
    ],
    ids=["backticks", "calls", "dots", "comments", "quotes", "token"],
)
def test_the_time_for_hostile_texts_is_bounded(text: str) -> None:
    started = time.perf_counter()
    words = split_words(text)
    split_sentences(text)
    shared_runs(words, words)
    assert time.perf_counter() - started < 20


def test_distinct_sequences_of_many_texts_are_those_of_each() -> None:
    code = "for (int i = 0; i < n; i++) {\n    total += values[i];\n}\nreturn total;\n"
    prose = "the event loop runs the event loop, and the loop runs"
    texts = ["", prose, code, prose + "\n" + code + prose, "one", prose, "", code]
    words = [split_words(text) for text in texts]
    for length in ((2, 6), (3, 10), (3, 6), (1, 1)):
        rows, hashes = distinct_sequences(words, length)
        for number, own in enumerate(words):
            expected = np.unique(sequences(own, length)[0])
            assert np.array_equal(hashes[rows == number], expected)
    assert [len(array) for array in distinct_sequences([], (2, 6))] == [0, 0]


def test_equal_texts_share_their_words_while_somebody_holds_them() -> None:
    text = "Nobody else writes this very sentence."
    words = shared_words(text)
    assert shared_words("".join(text)) is words
    assert words.tokens == split_words(text).tokens
    held = weakref.ref(words)
    del words
    gc.collect()
    assert held() is None


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("हिन्दी भाषा में उत्तर", ["हिन्दी", "भाषा", "में", "उत्तर"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("हिन्दी and English, x_1", ["हिन्दी", "and", "english", "x", "1"]),
    ],
)
def test_vowel_signs_are_parts_of_words(text: str, tokens: list[str]) -> None:
    assert [normalize("NFC", token) for token in split_words(text).tokens] == [
        normalize("NFC", token) for token in tokens
    ]
    words = split_words(text)
    spelt = [text[start:end] for start, end in zip(words.starts, words.ends, strict=True)]
    assert [word.lower() for word in spelt] == tokens


@pytest.mark.parametrize(
    ("pointed", "plain"),
    [
        ("الخَادِمُ يَرُدُّ عَلَى الطَّلَبَات", "الخادم يرد على الطلبات"),
        ("الخـــادم", "الخادم"),
        ("הַשָּׁרַת עוֹנֶה", "השרת עונה"),
    ],
)
def test_a_text_is_compared_without_vowel_points(pointed: str, plain: str) -> None:
    one, other = split_words(pointed), split_words(plain)
    assert one.tokens == other.tokens
    assert (one.hashes == other.hashes).all()
    assert one.ends[-1] == len(pointed.rstrip())
