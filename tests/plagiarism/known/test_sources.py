"""Known sources: who took from one is found, and nobody who only wrote about the same."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from helpers.answers import VOCABULARY, honest
from helpers.encoder import ToyEncoder
from helpers.programs import PYTHON

from searchkit import Answer, Index
from searchkit.plagiarism.find import find_plagiarism, find_plagiarism_among
from searchkit.plagiarism.known.detector import MIN_APART
from searchkit.plagiarism.records import PlagiarismResult


def page(words: int = 120, seed: int = 7, name: str = "page.html") -> Answer:
    """Return a page made of the same words as honest answers, in an order of its own."""
    rng = np.random.default_rng(seed)
    common = VOCABULARY[:60]
    text = (rng.choice(common if rng.random() < 0.7 else VOCABULARY) for _ in range(words))
    return Answer(name, " ".join(text))


def taken(
    answers: Sequence[Answer], who: Sequence[int], source: Answer, first: int = 10, words: int = 35
) -> list[Answer]:
    """Let some answers begin as the source goes on from a word."""
    part = source.text.split()[first : first + words]
    rows = list(answers)
    for n in who:
        rows[n] = replace(rows[n], text=" ".join([*part, *rows[n].text.split()[:10]]))
    return rows


def reworded(answer: Answer, every: int) -> Answer:
    """Replace every so manieth word."""
    words = answer.text.split()
    words[1::every] = [f"other{n}" for n in range(len(words[1::every]))]
    return replace(answer, text=" ".join(words))


def among(answers: Sequence[Answer], *sources: Answer, **options: object) -> PlagiarismResult:
    return find_plagiarism_among(answers, ToyEncoder(window=100), sources=sources, **options)


def found(result: PlagiarismResult) -> set[tuple[str, str]]:
    return {(finding.answer, finding.source) for finding in result.sources}


def test_three_who_took_from_a_page_are_one_group_with_it() -> None:
    answers = taken(honest(20), (3, 4, 11), page())
    result = among(answers, page())
    assert found(result) == {(answers[n].id, "page.html") for n in (3, 4, 11)}
    first = result.sources[0]
    assert first.expected is not None and first.expected < 1e-3
    assert first.q_value is not None
    assert first.reason.startswith("Nearer to page.html than chance explains: ")
    passage = max(first.passages, key=lambda p: p.left[1] - p.left[0])
    text = {answer.id: answer.text for answer in answers}[first.answer]
    assert text[slice(*passage.left)] == page().text[slice(*passage.right)]
    (group,) = result.source_groups
    assert set(group.authors) == {"s003", "s004", "s011"}
    assert group.answers[0] == first.answer
    assert group.questions == ("q1",)


def test_nobody_honest_is_accused() -> None:
    for seed in range(20):
        result = among(honest(20, seed=seed), page(seed=100 + seed), page(400, 200 + seed, "book"))
        assert not result.sources


def test_an_answer_of_the_same_topic_is_no_finding() -> None:
    answers = honest(20)
    shuffled = np.random.default_rng(3).permutation(page().text.split())[:45]
    answers[6] = replace(answers[6], text=" ".join(shuffled))
    assert not among(answers, page()).sources


def test_what_all_wrote_is_no_evidence() -> None:
    stock = "the event loop runs one callback at a time"
    answers = [replace(a, text=f"{a.text} {stock}") for a in honest(20)]
    source = replace(page(), text=f"{page().text} {stock}")
    assert not among(answers, source).sources


def test_half_a_class_at_one_source_hides_nothing() -> None:
    answers = taken(honest(20), range(10), page())
    assert {a for a, _ in found(among(answers, page()))} == {a.id for a in answers[:10]}


def test_a_lightly_reworded_answer_of_a_chat_bot_is_found() -> None:
    bot = page(60, name="bot.txt")
    answers = honest(20)
    answers[5] = replace(reworded(bot, 7), id=answers[5].id, question="q1", author="s005")
    result = among(answers, bot)
    assert found(result) == {(answers[5].id, "bot.txt")}


def test_a_template_is_no_evidence_towards_a_source_either() -> None:
    answers = taken(honest(20), (3, 4), page())
    handout = " ".join(page().text.split()[5:50])
    assert not among(answers, page(), template=handout).sources


def test_template_source_and_earlier_answers_together(tmp_path: Path) -> None:
    handout = page(40, 1).text
    answers = [replace(a, text=f"{handout} {a.text}") for a in honest(20)]
    answers = [*taken(answers[:4], (2, 3), page()), *answers[4:]]
    before = [replace(a, id=f"old-{a.id}", author=f"old {a.author}") for a in honest(20, seed=9)]
    before = taken(before, (1,), page())
    copied = " ".join(before[5].text.split()[:35])
    answers[8] = replace(answers[8], text=f"{handout} {copied}")
    for name, rows in (("new", answers), ("old", before)):
        with Index.create(tmp_path / name, ToyEncoder(window=100)) as index:
            index.add(rows)
    encoder = ToyEncoder(window=100)
    with Index.open(tmp_path / "new", encoder=encoder) as index:
        with Index.open(tmp_path / "old", encoder=encoder) as earlier:
            result = find_plagiarism(index, template=handout, against=earlier, sources=[page()])
    assert found(result) == {(answers[n].id, "page.html") for n in (2, 3)}
    assert (answers[8].id, f"old:{before[5].id}") in {(f.left, f.right) for f in result.findings}


def test_a_pair_that_a_source_explains_says_so() -> None:
    answers = taken(honest(20), (3, 4), page())
    own = VOCABULARY[300:330]
    for n in (8, 9):  # these share more than the page
        (row,) = taken([answers[n]], (0,), page(), words=20)
        answers[n] = replace(row, text=f"{row.text} {' '.join(own)}")
    of_pair = {(f.left, f.right): f for f in among(answers, page()).findings}
    shared = of_pair[answers[3].id, answers[4].id]
    assert shared.verdict == "shared source"
    assert "page.html" in shared.reason
    more = of_pair[answers[8].id, answers[9].id]
    assert more.verdict != "shared source"
    assert any("page.html" in remark for remark in more.remarks)


def test_where_few_answers_are_unrelated_chance_is_not_judged() -> None:
    answers = taken(honest(MIN_APART), (3,), page())
    (finding,) = among(answers, page()).sources
    assert finding.expected is None and finding.q_value is None
    assert finding.reason.startswith("Shares with page.html: ")
    assert "chance can't be judged" in finding.remarks[-1]


def test_a_source_with_a_question_is_compared_with_its_answers_only() -> None:
    answers = [*taken(honest(20), (3,), page()), *taken(honest(20, "q2", 1), (4,), page())]
    assert {a for a, _ in found(among(answers, page()))} == {"q1-003", "q2-004"}
    solution = replace(page(), question="q2")
    assert {a for a, _ in found(among(answers, solution))} == {"q2-004"}
    unknown = replace(page(), question="what nobody was asked")
    assert {a for a, _ in found(among(answers, unknown))} == {"q1-003", "q2-004"}


def test_of_two_attempts_one_finding(tmp_path: Path) -> None:
    answers = taken(honest(20), (3,), page())
    later = replace(honest(1, seed=5)[0], id="later", author="s003")
    with Index.create(tmp_path / "index", ToyEncoder(window=100)) as index:
        index.add([*answers, later])
        (finding,) = find_plagiarism(index, sources=[page()]).sources
    assert finding.answer == answers[3].id
    assert any("attempt 1 of 2" in remark for remark in finding.remarks)


def test_a_kept_result_depends_on_the_sources_texts(tmp_path: Path) -> None:
    answers = taken(honest(20), (3,), page())
    with Index.create(tmp_path / "index", ToyEncoder(window=100)) as index:
        index.add(answers)
        first = find_plagiarism(index, sources=[page()])
        again = find_plagiarism(index, sources=[page()])
        assert again == first
        assert first.known_sources["page.html"].text == page().text
        assert not find_plagiarism(index, sources=[page(seed=8)]).sources
        assert not find_plagiarism(index).sources


def test_a_program_of_last_year_is_a_source_of_programs() -> None:
    texts = PYTHON.texts()
    solution = Answer("solution.py", texts.pop("source"), source="solution.py")
    answers = [
        Answer(f"{name}.py", text, question="q1", author=name, source=f"{name}.py")
        for name, text in texts.items()
    ]
    result = among(answers, solution, page())
    copies = {"renamed-1.py", "renamed-2.py", "commented.py"}
    assert {source for _, source in found(result)} <= {"solution.py"}
    assert {answer for answer, _ in found(result)} <= copies
    assert "commented.py" in {answer for answer, _ in found(result)}
    assert not any("earlier answers" in r for f in result.sources for r in f.remarks)
    same_id = replace(solution, id="honest-1.py")
    assert ("commented.py", "honest-1.py") in found(among(answers, same_id))


def test_a_book_is_read_in_seconds() -> None:
    words = page(100_000).text.split()
    sentences = (" ".join(words[at : at + 15]) for at in range(0, len(words), 15))
    book = Answer("book.txt", ". ".join(sentences))
    answers = taken(honest(60), (3, 4), book, first=70_000)
    begin = time.process_time()
    result = among(answers, book)
    assert found(result) == {(answers[n].id, "book.txt") for n in (3, 4)}
    assert time.process_time() - begin < 30


def test_a_source_of_no_words_or_of_an_answers_id_does_no_harm() -> None:
    answers = honest(20)
    assert not among(answers, Answer("page", "!!!")).sources
    assert not among([], page()).sources
    (finding,) = among(answers, replace(answers[3], question=None)).sources
    assert (finding.answer, finding.source, finding.verdict) == ("q1-003", "q1-003", "identical")
