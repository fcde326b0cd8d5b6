"""SemEval-2013, task 7 (SciEntsBank, Beetle): a question with its reference and student answers.

<question id qtype module><questionText/>
  <referenceAnswers><referenceAnswer id category/></referenceAnswers>
  <studentAnswers><studentAnswer id accuracy/></studentAnswers></question>
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from searchkit.core.identity import question_name
from searchkit.core.records import REFERENCE
from searchkit.sources.layouts.layout import Layout
from searchkit.sources.platforms.nested.elements import Event, XmlFormat
from searchkit.sources.platforms.nested.rows import Row, nested_layout, with_id


def _read_rows(events: Iterator[Event]) -> Iterator[Row]:
    module = qtype = name = prompt = None
    for event in events:
        if event.kind == "start" and event.name == "question":
            module, qtype = event.attribute("module"), event.attribute("qtype")
            name, prompt = event.attribute("id"), None
        elif event.kind == "start":
            continue
        elif event.name == "questionText":
            prompt = event.text.strip() or None
            name = name or (question_name(prompt) if prompt else None)
        elif event.name in ("referenceAnswer", "studentAnswer"):
            is_reference = event.name == "referenceAnswer"
            values = {
                "text": event.text.strip(),
                "question": name,
                "author": REFERENCE if is_reference else event.attribute("author", "student"),
                "accuracy": event.attribute("accuracy"),
                "category": event.attribute("category"),
                "prompt": prompt,
                "module": module,
                "qtype": qtype,
            }
            yield event.line, with_id(event.attribute("id"), values)


def _find_layout(names: Collection[str]) -> Layout:
    return nested_layout("SemEval-2013 XML", names)


SEMEVAL = XmlFormat(
    roots=("question", "questions"),
    held=("questionText", "referenceAnswer", "studentAnswer"),
    read_rows=_read_rows,
    find_layout=_find_layout,
)
