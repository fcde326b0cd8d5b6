"""What all nested exports share: the columns of their rows, and the names of questions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from searchkit.core.identity import question_name
from searchkit.sources.columns import Values
from searchkit.sources.layouts.layout import Layout, Question

Row = tuple[int, Values]  # line or position, and values by column
_LAYOUT = Layout(
    (Question("text"),),
    id="id",
    question="question",
    author=("author",),
    submitted_at="submitted_at",
)


def nested_layout(
    title: str, names: Collection[str], identity: tuple[str, ...] = (), *, is_html: bool = False
) -> Layout:
    """Return the layout of rows that were taken out of a nested export.

    Args:
        title: What kind of file it is, as users call it.
        names: The columns of a row: `text`, and as far as they are known `id`, `question`,
            `author`, `submitted_at`, and any others.
        identity: The columns that tell authors of the same name apart.
        is_html: Whether all texts are HTML.
    """
    return replace(
        _LAYOUT,
        id="id" if "id" in names else None,
        question="question" if "question" in names else None,
        author=("author",) if "author" in names else (),
        submitted_at="submitted_at" if "submitted_at" in names else None,
        identity=identity,
        title=title,
        is_html=is_html,
    )


def with_id(id_: str | None, values: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its id, or without the column if it has none, so that one is made."""
    return {"id": id_, **values} if id_ else values


@dataclass(slots=True)
class QuestionNames:
    """Names questions by their texts; a second question of the same name gets its key after it."""

    _names: dict[str, str] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)

    def name(self, key: str, text: str | None) -> str:
        """Return the name of the question with this key and, if it has one, text."""
        if key not in self._names:
            name = question_name(text or key)
            if self._keys.setdefault(name, key) != key:
                name = f"{name} ({key})"
            self._names[key] = name
        return self._names[key]

    def __contains__(self, key: str) -> bool:
        """Whether the question with this key has a name."""
        return key in self._names
