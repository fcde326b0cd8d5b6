"""Lexical search finds words, also of scripts that are written without spaces."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index
from searchkit.index.locations import open_or_create
from searchkit.index.query import query
from searchkit.index.storage.fulltext import quoted_words
from searchkit.index.upkeep.verify import verify

TEXTS = {
    "zh": "浏览器的事件循环会在调用栈为空时运行回调函数。",
    "zh2": "中间件是处理请求和响应的函数,用Express写成。",
    "ja": "イベントループはコールスタックが空のときにコールバックを実行します。",
    "th": "วนรอบเหตุการณ์จะเรียกใช้ฟังก์ชันเมื่อสแตกว่างเปล่า",
    "ko": "이벤트 루프는 콜스택에서 콜백을 실행합니다.",
    "hi": "हिन्दी भाषा में उत्तर",
    "en": "The event loop runs callbacks when the café's stack is empty",
    "mixed": "Node用事件循环, and streams don't",
    "fake": "\x1f a boundary \x1f in a text",
}


@pytest.fixture(scope="module", params=["folder", "lite"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    base = tmp_path_factory.mktemp("fulltext")
    place = base / "i" if request.param == "folder" else f"milvus+lite:{base / 'i.db'}"
    with open_or_create(place, ToyEncoder()) as made:
        made.add([Answer(name, text, "q") for name, text in TEXTS.items()])
        yield made


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("循环", ["mixed", "zh"]),
        ("事件循环", ["mixed", "zh"]),
        ("栈", ["zh"]),
        ("函数", ["zh", "zh2"]),
        ("数函", []),
        ("Express", ["zh2"]),
        ("express写", ["zh2"]),
        ("node", ["mixed"]),
        ("コール", ["ja"]),
        ("空", ["ja", "zh"]),
        ("ループ", ["ja"]),
        ("เหตุการณ์", ["th"]),
        ("ฟังก์ชัน", ["th"]),
        ("สแตก", ["th"]),
        ("วน", ["th"]),
        ("콜백", ["ko"]),
        ("이벤트", ["ko"]),
        ("भाषा", ["hi"]),
        ("callback", ["en"]),
        ("CAFE", ["en"]),
        ("stream 循环", ["mixed", "zh"]),
        ("boundary", ["fake"]),
    ],
)
def test_words_are_found_in_every_script(index, words: str, found: list[str]) -> None:
    (hits,) = index.search_words([words], 20)
    assert sorted(hit.answer.id for hit in hits) == found
    (hybrid,) = query(index, [words], 20, "hybrid")
    assert set(found) <= {hit.answer.id for hit in hybrid}


def test_a_sentence_finds_the_text_with_most_of_its_words_first(index) -> None:
    (hits,) = index.search_words(["事件循环在什么时候运行回调"], 20)
    assert hits[0].answer.id == "zh"
    (hits,) = index.search_words(["ฟังก์ชันถูกเรียกใช้เมื่อใด"], 20)
    assert [hit.answer.id for hit in hits] == ["th"]


def test_the_best_passage_is_found_where_characters_are_cut(tmp_path: Path) -> None:
    before = "这是一个很长的回答。" * 40
    with Index.create(tmp_path / "i", ToyEncoder(window=30)) as index:
        index.add([Answer("a", before + " 事件循环 " + before, "q")])
        ((hit,),) = index.search_words(["循环"], 1)
        text = hit.answer.text
        assert "循环" in text[hit.passage.start : hit.passage.end]


def test_texts_are_removed_and_replaced_as_they_were_added(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([Answer(name, text, "q") for name, text in TEXTS.items()])
        index.add([Answer("zh", "完全不同的文字", "q")])
        index.remove(["th", "ja"])
        assert verify(index) == []
        assert [h.answer.id for h in index.search_words(["循环"], 9)[0]] == ["mixed"]
        assert index.search_words(["ループ"], 9) == [[]]
        index.rebuild()
        assert verify(index) == []
        assert [h.answer.id for h in index.search_words(["文字"], 9)[0]] == ["zh"]


@pytest.mark.parametrize("format_", [1, 2, 3])
def test_an_older_index_finds_them_once_it_was_opened_for_writing(
    tmp_path: Path, format_: int
) -> None:
    from shutil import copytree

    folder = copytree(Path(__file__).parents[2] / "data" / f"format-{format_}", tmp_path / "i")
    with Index.open(folder, write=True) as index:
        assert index.store.fulltext.is_sound()
        index.store.connection.execute("UPDATE answers SET text = '事件循环' WHERE key = 1")
        index.store.fulltext.rebuild()
        assert len(index.search_words(["循环"], 9)[0]) == 1


@pytest.mark.parametrize(
    ("words", "expression"),
    [
        ("event loop", '"event" OR "loop"'),
        ('a"b', '"a""b"'),
        ("事", '"\x1f事\x1f"'),
        ("事件循环", '"\x1f事\x1f\x1f件\x1f" OR "\x1f件\x1f\x1f循\x1f" OR "\x1f循\x1f\x1f环\x1f"'),
        ("", ""),
    ],
)
def test_a_query_has_phrases_of_two_characters(words: str, expression: str) -> None:
    assert quoted_words(words) == expression


@pytest.mark.parametrize(
    ("words", "id_", "marked"),
    [
        ("callback looping", "en", ["loop", "callbacks"]),  # by their stems
        ("CAFE", "en", ["café"]),
        ("事件循环", "zh", ["事件循环"]),
        ("stream 循环", "mixed", ["循环", "streams"]),
    ],
)
def test_the_offsets_of_the_words_found_are_those_in_the_text(
    index, words: str, id_: str, marked: list[str]
) -> None:
    (hits,) = index.search_words([words], 20)
    (hit,) = [hit for hit in hits if hit.answer.id == id_]
    assert [hit.answer.text[start:end] for start, end in hit.words] == marked


def test_a_text_with_the_markers_of_matches_has_none(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder()) as index:
        index.add([Answer("x", "\x02 a needle \x03 in \x02 hay", "q")])
        ((hit,),) = index.search_words(["needle"], 1)
    assert hit.words == ()
