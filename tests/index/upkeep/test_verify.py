"""Every damage is found, and reported with what mends it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from helpers.damage import change
from helpers.encoder import ToyEncoder
from helpers.files import DATA

from searchkit import Answer, Index, Where
from searchkit.cli.app import main
from searchkit.core.errors import IndexDamaged, SearchkitError, StorageFailed
from searchkit.index.decisions import decide
from searchkit.index.records import GradingCell, GradingChange
from searchkit.index.upkeep.reindex import reindex
from searchkit.index.upkeep.verify import verify

LONG = Answer("long", " ".join(f"w{n}" for n in range(40)), source="a.csv", line=3)


@pytest.fixture
def index(tmp_path: Path, answers: list[Answer]) -> Index:
    with Index.create(tmp_path / "i", ToyEncoder()) as made:
        made.add([*answers, LONG])
        decide(made, "a1", "a2", "confirmed")
        made.checkpoint()
        yield made


def test_a_sound_index_has_no_problems(index: Index) -> None:
    assert verify(index) == []


DELETE = "searchkit delete --damaged"
EMBED = "run: searchkit reindex --damaged"
REBUILD = "run: searchkit rebuild"
ANEW = "restore a copy, or ingest the files into a new index"


@pytest.mark.parametrize(
    ("sql", "problem", "advice"),
    [
        ("UPDATE answers SET text = 'Nodf' || substr(text, 5) WHERE id = 'a3'", "'a3'", DELETE),
        ("""UPDATE answers SET meta = '{"score":"9"}' WHERE id = 'a1'""", "answer 'a1'", DELETE),
        ("UPDATE answers SET author = 'eve' WHERE id = 'a2'", "answer 'a2': damaged", DELETE),
        ("UPDATE answers SET id = 'a9' WHERE id = 'a2'", "answer 'a9': damaged", DELETE),
        ("UPDATE answers SET id = CAST(x'61ff' AS TEXT) WHERE id = 'a2'", "'a\ufffd'", DELETE),
        ("UPDATE answers SET text = CAST(x'61ff' AS TEXT) WHERE id = 'a2'", "'a2'", DELETE),
        ("UPDATE answers SET text = CAST(text AS BLOB) WHERE id = 'a2'", "'a2'", DELETE),
        ("UPDATE answers SET key = 99 WHERE id = 'a6'", "answer 'a6': damaged", DELETE),
        ("UPDATE passages SET end = end - 4 WHERE answer = 7 AND start = 0", "'long': its", EMBED),
        ("UPDATE passages SET end = 9999 WHERE answer = 1", "'a1': its passages leave", EMBED),
        ("DELETE FROM passages WHERE answer = 1", "'a1': its passages leave text out", EMBED),
        ("DELETE FROM passages WHERE answer = 1", "1 vectors belong to no answer", REBUILD),
        ("INSERT INTO passages VALUES (99, 0, 5, 1, x'00')", "1 passages belong to no", REBUILD),
        ("DELETE FROM vectors WHERE key = 1", "'a1': its text is not what was embedded", EMBED),
        ("UPDATE vectors SET vector = zeroblob(64) WHERE key = 1", "vector 1: not of unit", EMBED),
        ("UPDATE vectors SET vector = x'00' WHERE key = 1", "1 bytes where 64 are", EMBED),
        ("UPDATE vectors SET vector = 'text' WHERE key = 1", "4 bytes where 64 are", EMBED),
        ("UPDATE vectors SET vector = (SELECT vector FROM vectors WHERE key = 2) WHERE key = 1",
         "vector 1: damaged", EMBED),
        ("UPDATE vectors SET sha = zeroblob(32) WHERE key = 1", "vector 1: damaged", EMBED),
        ("UPDATE sources SET path = 'b.csv'", "the name of a file of answers is damaged", REBUILD),
        ("UPDATE decisions SET decision = 'dismissed'", "a decision is damaged", REBUILD),
        ("UPDATE model SET name = 'other'", "the model's record is damaged", "--model MODEL"),
        ("UPDATE checkpoints SET count = 99", "the record of the FAISS file is damaged", REBUILD),
        ("INSERT INTO removals VALUES (7, NULL)", "the record of removed vectors", REBUILD),
        ("UPDATE revision SET n = 7", "the counters of changes are damaged", REBUILD),
        ("UPDATE revision SET n = '{}'", "the counters of changes are damaged", REBUILD),
        ("UPDATE revision SET commits = 9e999", "the counters of changes are damaged", REBUILD),
        ("DELETE FROM revision", "the counters of changes are damaged", REBUILD),
        ("UPDATE model SET dimension = 'x'", "the model's record is damaged", "--model MODEL"),
        ("UPDATE checkpoints SET last_vector = '{}'", "record of the FAISS file is", REBUILD),
        ("UPDATE passages SET start = '[]' WHERE answer = 1", "'a1': its passages", EMBED),
        ("UPDATE passages SET vector = 'x' WHERE answer = 1", "'a1': its text is not", EMBED),
        ("UPDATE passages SET vector = 99 WHERE answer = 1", "'a1': its text is not", EMBED),
        ("UPDATE answers SET line = 'x' WHERE id = 'a1'", "answer 'a1': damaged", DELETE),
        ("INSERT INTO state VALUES ('forgef', NULL)", "the record of unfinished work", REBUILD),
        ("INSERT INTO state VALUES ('forget', NULL)", "deleted data is not erased yet", REBUILD),
        ("UPDATE sqlite_sequence SET seq = 2", "the counter of answers is damaged", REBUILD),
        ("DROP INDEX answers_author", "answers_author is not as it was created", ANEW),
        ("ALTER TABLE answers RENAME COLUMN author TO aufhor", "answers is not as it was", ANEW),
        ("INSERT INTO answers_fts(answers_fts) VALUES ('delete-all')", "the full text is", REBUILD),
    ],
)  # fmt: skip
def test_changed_rows_are_found_and_the_advice_mends_them(
    index: Index, answers: list[Answer], sql: str, problem: str, advice: str
) -> None:
    change(index, sql)
    lines = [line for line in verify(index) if problem in line]
    assert lines
    assert advice in lines[0]
    if advice == ANEW:
        return
    if advice == "--model MODEL":
        reindex(index, ToyEncoder())  # the same model
    for _ in range(3):  # a step of advice may show the next one
        lines = verify(index)
        if any(DELETE in line for line in lines):
            index.remove_damaged()
            index.add([*answers, LONG])
        if any(EMBED in line for line in lines):
            index.embed_damaged()
        if any(REBUILD in line for line in lines):
            index.rebuild()
    assert verify(index) == []
    long = replace(LONG, source=None) if "sources" in sql else LONG
    assert sorted(index.answers(), key=lambda a: a.id) == sorted(
        [*answers, long], key=lambda a: a.id
    )


def test_a_damaged_answer_is_replaced_by_its_file(index: Index, answers: list[Answer]) -> None:
    for id_, text in (("a1", "x'ff'"), ("a2", "x'6162'")):
        change(index, f"UPDATE answers SET text = CAST({text} AS TEXT) WHERE id = '{id_}'")
    index.add(answers)
    assert verify(index) == []
    assert sorted(index.get_existing(["a1", "a2"]).values(), key=lambda a: a.id) == answers[:2]
    assert [hit.answer.id for hit in index.search_words([answers[0].text], 1)[0]] == ["a1"]


def test_a_damaged_answer_is_named_with_its_file(index: Index) -> None:
    index.add([Answer("x", "From a file", source="group 1/responses.csv", line=12)])
    change(index, "UPDATE answers SET text = 'From a tile' WHERE id = 'x'")
    (problem, *_) = verify(index)
    assert "or ingest group 1/responses.csv:12 again" in problem


def test_a_changed_byte_in_a_text_is_found(index: Index) -> None:
    index.close()
    path = index.path / "answers.db"
    data = path.read_bytes()
    assert b"Node uses one thread" in data
    path.write_bytes(data.replace(b"Node uses one thread", b"Node uses two thread"))
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        assert any("answer 'a3': damaged" in line for line in verify(reader))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"score":"77"', b'{"score":"78"'),  # another mark
        (b"well done", b"well \xffone"),  # no UTF-8
        (b'"comment":', b'"comment";'),  # no JSON
    ],
)
def test_a_changed_byte_in_a_column_is_found_and_mended(
    index: Index, answers: list[Answer], old: bytes, new: bytes
) -> None:
    marked = Answer("marked", "A text", meta={"score": "77", "comment": "well done"})
    index.add([marked])
    index.close()
    path = index.path / "answers.db"
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    with Index.open(index.path, write=True, encoder=ToyEncoder()) as opened:
        assert any("answer 'marked': damaged" in line for line in verify(opened))
        assert opened.damaged_ids() == ["marked"]
        assert opened.remove_damaged() == 1
        assert verify(opened) == []
    with Index.open(index.path, write=True, encoder=ToyEncoder()) as opened:
        opened.add([marked])
        assert verify(opened) == []
        assert opened.get_existing(["marked"]) == {"marked": marked}


def test_any_changed_bit_is_noticed_or_holds_nothing(index: Index, tmp_path: Path) -> None:
    index.add(
        [Answer("tail", "not in the checkpoint", meta={"score": "3", "comment": "well done"})]
    )
    cell = GradingCell("tail", "mark", None, "7")
    index.add_grading_change(GradingChange("", "A", "now", "mark 7", (cell,), (None, "{}")))
    index.close()
    data = (index.path / "answers.db").read_bytes()
    before = contents(index.path)
    random = Random(20261127)
    for number in range(150):
        position, bit = random.randrange(len(data)), random.randrange(8)
        folder = tmp_path / f"flip-{number}"
        shutil.copytree(index.path, folder)
        flipped = bytearray(data)
        flipped[position] ^= 1 << bit
        (folder / "answers.db").write_bytes(flipped)
        try:
            with Index.open(folder, write=True, encoder=ToyEncoder()) as opened:
                is_noticed = verify(opened) != []
        except SearchkitError:
            is_noticed = True
        assert is_noticed or contents(folder) == before, (position, bit)
        shutil.rmtree(folder)


def contents(folder: Path) -> list[object]:
    """Return everything that an index holds."""
    with Index.open(folder, encoder=ToyEncoder()) as index:
        stored = [(s.answer, s.passages, s.vectors.tobytes()) for s in index.iter_stored()]
        hits = index.search_words(["event loop"], 9)
        grading = [index.grading.changes(), index.grading.settings()]
        return [
            stored,
            hits,
            index.decisions(),
            index.model,
            index.columns(),
            index.revision,
            grading,
        ]


def test_lost_commits_are_told_until_somebody_accepts_them(index: Index, caplog) -> None:
    index.close()
    older = (index.path / "answers.db").read_bytes()
    with Index.open(index.path, write=True, encoder=ToyEncoder()) as writer:
        writer.add([Answer("new", "This will be lost")])
        writer.update_columns({"a1": {"score": "2"}})
    (index.path / "answers.db").write_bytes(older)
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        assert any("acknowledged changes are lost" in line for line in verify(reader))
    assert "the last 2 changes are lost" in caplog.text
    with Index.open(index.path, write=True, encoder=ToyEncoder()) as writer:
        for number in range(5):  # its own commits don't hide it
            writer.add([Answer(f"later{number}", f"One more {number}")])
    with Index.open(index.path, write=True, encoder=ToyEncoder()) as writer:
        assert any("acknowledged changes are lost" in line for line in verify(writer))
        writer.rebuild()
        assert verify(writer) == []


def test_a_changed_byte_of_the_log_that_loses_commits_is_noticed(index: Index, caplog) -> None:
    copied = index.path.with_name("copy")
    for number in range(4):  # these are in the log as long as the writer is open
        index.add([Answer(f"new{number}", f"Added as number {number}")])
    shutil.copytree(index.path, copied)
    log = copied / "answers.db-wal"
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    with Index.open(copied, encoder=ToyEncoder()) as reader:
        assert len(reader) < len(index)
        assert any("acknowledged changes are lost" in line for line in verify(reader))
    assert "changes are lost" in caplog.text


@pytest.mark.parametrize("content", [b"", b"7", b"\xff" * 30, b"\xff" * 99])
def test_a_damaged_record_of_commits_is_found_and_mended(index: Index, content: bytes) -> None:
    (index.path / "COMMITS").write_bytes(content)
    assert any("COMMITS is missing or damaged" in line for line in verify(index))
    index.rebuild()
    assert verify(index) == []


def test_a_leftover_of_an_earlier_state_is_found(index: Index) -> None:
    (index.path / "vectors-77.faiss").write_bytes(b"x")
    assert any("vectors-77.faiss: left over" in line for line in verify(index))


def test_a_scrambled_page_is_found(index: Index) -> None:
    index.close()
    path = index.path / "answers.db"
    data = bytearray(path.read_bytes())
    data[4096 * 5 : 4096 * 5 + 100] = b"\xff" * 100
    path.write_bytes(data)
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        assert any("damaged (" in line for line in verify(reader))


def test_a_damaged_id_is_not_taken_for_the_answer_that_it_was(index: Index, answers) -> None:
    """SQLite's index still finds the row by its former id."""
    index.close()
    path = index.path / "answers.db"
    data = path.read_bytes()
    row = data.index(b"a2Callbacks")
    path.write_bytes(data[:row] + b"a9" + data[row + 2 :])
    with Index.open(index.path, write=True, encoder=ToyEncoder()) as opened:
        assert verify(opened)
        opened.add(answers)
        opened.rebuild()
        assert opened.damaged_ids() == ["a9"]
        assert opened.remove_damaged() == 1
        assert verify(opened) == []
        assert opened.get_existing(["a2"]) == {"a2": answers[1]}


def test_a_damaged_author_can_be_mended_at_once(index: Index, answers) -> None:
    index.close()
    path = index.path / "answers.db"
    data = path.read_bytes()
    assert data.count(b"emptyq1bob") == 1
    path.write_bytes(data.replace(b"emptyq1bob", b"emptyq1bab"))
    for mend in (lambda index: index.add(answers), lambda index: index.remove_damaged()):
        copied = Path(shutil.copytree(index.path, index.path.with_name(f"copy-{id(mend)}")))
        with Index.open(copied, write=True, encoder=ToyEncoder()) as opened:
            mend(opened)
            assert verify(opened) == []


@pytest.mark.parametrize("name", ["", "../thesis.txt", "answers.db"])
def test_a_foreign_name_of_the_faiss_file_moves_nothing(index: Index, name: str) -> None:
    foreign = index.path.with_name("thesis.txt")
    foreign.write_text("mine", "utf-8")
    change(index, f"UPDATE checkpoints SET file = '{name}', checksum = NULL")
    index.rebuild()
    assert verify(index) == []
    assert foreign.read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM sources",
        "DELETE FROM answers WHERE text = ''",
    ],
)
def test_rows_that_are_gone_are_missed(index: Index, sql: str) -> None:
    change(index, sql)
    assert any("are missing; restore a copy" in line for line in verify(index))


def test_a_text_that_changed_in_an_older_format_is_not_sealed(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA / "format-2", tmp_path / "index"))
    with closing(sqlite3.connect(folder / "answers.db", isolation_level=None)) as connection:
        connection.execute(
            "UPDATE answers SET text = 'The event loop runs halfbacks' WHERE id = 'a'"
        )
        connection.execute("UPDATE answers SET text = CAST(x'61ff' AS TEXT) WHERE id = 'b'")
    with Index.open(folder, write=True, encoder=ToyEncoder()) as index:
        assert index.damaged_ids() == ["a", "b"]
        index.embed_damaged()
        index.rebuild()
        assert index.damaged_ids() == ["a", "b"]


def test_an_older_format_can_be_verified_by_a_reader(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = Path(shutil.copytree(DATA / f"format-{number}", tmp_path / str(number)))
        with Index.open(folder, encoder=ToyEncoder()) as reader:
            assert verify(reader) == []


def test_an_older_copy_of_an_older_format_is_noticed(index: Index, caplog) -> None:
    index.close()
    shutil.copyfile(DATA / "format-2" / "answers.db", index.path / "answers.db")
    with Index.open(index.path, write=True, encoder=ToyEncoder()):
        pass
    assert "changes are lost" in caplog.text


def test_a_new_index_knows_nothing_of_an_earlier_one(index: Index, encoder, caplog) -> None:
    index.close()
    (index.path / "answers.db").unlink()
    with Index.create(index.path, encoder) as made:
        made.rebuild()
        assert verify(made) == []
    assert "lost" not in caplog.text


def test_a_record_of_commits_that_is_no_file(index: Index, tmp_path: Path) -> None:
    target = tmp_path / "mine.txt"
    target.write_text("mine", "utf-8")
    record = index.path / "COMMITS"
    record.unlink()
    record.symlink_to(target)
    with pytest.raises(StorageFailed, match="COMMITS: can't be written"):
        index.update_columns({"a1": {"score": "1"}})
    assert target.read_text("utf-8") == "mine"
    record.unlink()
    index.rebuild()
    assert verify(index) == []


def test_a_damaged_answer_is_neither_marked_nor_shown_as_another(index: Index) -> None:
    change(index, "UPDATE answers SET text = 'other' WHERE id = 'a1'")
    with pytest.raises(IndexDamaged, match="answer 'a1': damaged"):
        index.update_columns({"a1": {"score": "1"}, "a2": {"score": "1"}})
    assert "score" not in index.get_existing(["a2"])["a2"].meta or verify(index)


def test_columns_that_are_no_json_are_damage(index: Index) -> None:
    index.add([Answer("marked", "A text", meta={"comment": "well done"})])
    index.close()
    path = index.path / "answers.db"
    path.write_bytes(path.read_bytes().replace(b'"comment":', b'"comment";'))
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        with pytest.raises(IndexDamaged, match="answer 'marked': damaged"):
            list(reader.answers())
        with pytest.raises(IndexDamaged, match="an answer's columns are damaged"):
            reader.ids(Where(sql="comment = 'x'"))


def test_a_vector_of_nan_in_the_tail_is_damage(index: Index) -> None:
    index.add([Answer("tail", "not in the checkpoint")])
    nan = (b"\x00\x7e" * 32).hex()
    change(
        index, f"UPDATE vectors SET vector = x'{nan}' WHERE key = (SELECT max(key) FROM vectors)"
    )
    index.close()
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        with pytest.raises(IndexDamaged, match="reindex --damaged"):
            reader.search(["anything"], 1)


def test_a_reader_beside_a_writer_takes_no_work_in_progress_for_a_problem(index: Index) -> None:
    (index.path / "vectors-77.faiss").write_bytes(b"being written")
    with Index.open(index.path, encoder=ToyEncoder()) as reader:
        assert verify(reader) == []


# The commands


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


@pytest.mark.model
def test_the_advice_of_verify_can_be_followed(tmp_path: Path) -> None:
    """The corpus is damaged in three ways, and mended by the commands that `verify` names."""
    rows = tmp_path / "answers.csv"
    rows.write_text("id,text,score\na,The event loop,3\nb,A promise,2\nc,A callback,1\n", "utf-8")
    folder = tmp_path / "index"
    run("ingest", rows, "-i", folder, "-q")
    with closing(sqlite3.connect(folder / "answers.db", isolation_level=None)) as connection:
        connection.execute("""UPDATE answers SET meta = '{"score":"9"}' WHERE id = 'a'""")
        connection.execute("UPDATE vectors SET vector = x'00' WHERE key = 2")
        connection.execute("UPDATE revision SET n = 99")
    lines = run("verify", "-i", folder, "-q", code=1)
    assert "answer 'a': damaged; restore a copy, or ingest" in lines
    assert "vector 2: 1 bytes where 768 are needed; run: searchkit reindex --damaged" in lines
    assert "answer 'b': one of its vectors is damaged" in lines
    assert "the counters of changes are damaged; run: searchkit rebuild" in lines
    assert "reindex --damaged" in run("rebuild", "-i", folder, "-q", code=1)
    assert run("reindex", "--damaged", "-i", folder, "-q").split() == ["embedded", "1"]
    assert "answer 'a': damaged" in run("rebuild", "-i", folder, "-q", code=1)
    assert run("delete", "--damaged", "--yes", "-i", folder) == "deleted 1\n"
    run("ingest", rows, "-i", folder, "-q")
    assert run("verify", "-i", folder, "-q") == "sound\n"
    assert '"score": "3"' in run("export", "-i", folder, "-f", "jsonl", "--question", "")
    assert "give --model, --precision or --damaged" in run("reindex", "-i", folder, code=2)
