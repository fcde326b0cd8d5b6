"""Pages and REST of an index whose model knows two languages: a translated copy, and its search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from helpers.serving import client_of, finished
from helpers.translations import BilingualEncoder, course, translated

from searchkit import Index


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an index of a course in English and German, in which g2 translates e7."""
    answers = {answer.id: answer for answer in course()}
    answers["g2"] = replace(answers["g2"], text=translated(answers["e7"].text))
    monkeypatch.setattr("searchkit.index.base.load_encoder", lambda *_, **__: BilingualEncoder())
    with Index.create(tmp_path / "i", encoder=BilingualEncoder()) as index:
        index.add(list(answers.values()))
    return tmp_path / "i"


def test_a_translated_copy_is_served_with_both_sides(folder: Path) -> None:
    with Index.open(folder) as index:
        texts = [answer.text for answer in index.get(["e7", "g2"])]
    with client_of(folder) as client:
        result = client.get("/api/findings?wait=60").json()
        (finding,) = result["findings"]
        assert (finding["left"], finding["right"]) == ("e7", "g2")
        assert finding["verdict"] == "translated"
        assert "judged by their meaning alone" in result["across"]
        for page in ("/review", f"/compare?left={quote('e7')}&right={quote('g2')}"):
            shown = finished(client, page)
            assert "4 sentences say the same in English and German" in shown
            assert 'lang="de"' in shown and 'lang="en"' in shown
            for text in texts:
                assert all(word in shown for word in text.split(".")[0].split())


def test_a_query_in_one_language_finds_the_answer_in_the_other(folder: Path) -> None:
    with Index.open(folder) as index:
        (answer,) = index.get(["e7"])
    with client_of(folder) as client:
        hits = client.get("/api/search", params={"q": answer.text, "n": 2}).json()["hits"]
    assert {hit["id"] for hit in hits} == {"e7", "g2"}
