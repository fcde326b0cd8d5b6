"""The answers of an author to a question in a collection, and the numbers of the attempts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Some
from collections.abc import Iterable
from dataclasses import replace

from searchkit.core.records import Answer, Slot
from searchkit.index.milvus.client import Collection
from searchkit.index.milvus.rows import FIELD_NAMES, assemble_answers, hash_key
from searchkit.index.storage.tables.attempts import is_numbered, renumbered


def answers_in_slots(
    collection: Collection, slots: Some[Slot], *, repeated: bool = False
) -> dict[Slot, list[Answer]]:
    """Return the answers of authors to questions, in the order in which they were added.

    Args:
        collection: Not of format 1, whose rows have no authors for comparing.
        slots: Questions and authors.
        repeated: Whether to leave out answers that are their author's only one to their question.
    """
    hashes = {(hash_key(question), hash_key(author)) for question, author in slots}
    keys = defaultdict(list)
    names = ["key", "question", "author"]
    authors = sorted({author for _, author in hashes})
    for row in collection.among("author", authors, names, "part == 0"):
        if (row["question"], row["author"]) in hashes:
            keys[row["question"], row["author"]].append(row["key"])
    wanted = [key for same in keys.values() if not repeated or len(same) > 1 for key in same]
    stored = assemble_answers(collection.of_keys(wanted, FIELD_NAMES)).values()
    found: dict[Slot, list[Answer]] = {}
    for answer in sorted(stored, key=lambda stored: (stored.position, stored.answer.id)):
        found.setdefault(answer.answer.slot, []).append(answer.answer)
    return found


def with_new_numbers(
    collection: Collection, slots: Iterable[Slot], changed: Iterable[Answer]
) -> list[Answer]:
    """Return the answers whose attempts have other numbers now, with these.

    Args:
        collection: A collection; in one of format 1 attempts are not numbered.
        slots: Questions and authors of new answers.
        changed: Answers as they were before they were replaced or deleted.
    """
    if collection.version == "1":
        return []
    before = {answer.slot for answer in changed if answer.attempts > 1}
    new = {slot for slot in slots if is_numbered(slot)} - before
    found = answers_in_slots(collection, before)
    found |= answers_in_slots(collection, new, repeated=True)
    return [
        replace(answer, attempt=attempt, attempts=attempts)
        for answers in found.values()
        for answer, attempt, attempts in renumbered(answers)
    ]
