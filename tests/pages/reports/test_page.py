"""The report: complete, inert, loads nothing, and without a name where that was asked for."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.answers import honest
from helpers.canaries import CANARIES, canary_answers, seen
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.cli.app import main
from searchkit.core.errors import BadInput
from searchkit.core.results import Results
from searchkit.index.decisions import decide
from searchkit.pages.reports.make import check_output, make_report
from searchkit.pages.reports.page import report_as_page
from searchkit.pages.reports.records import Report
from searchkit.pages.reports.report_json import as_json, report_as_record
from searchkit.pages.scores import BINS
from searchkit.plagiarism.records import VERDICTS, PlagiarismOptions

EVIL = "<script>alert(1)</script>"
PEOPLE = {
    3: "Marta Quist",
    9: "Ola Brandt",
    14: '"><img src=x onerror=alert(1)>',
    21: "javascript:x",
}


def corpus() -> list[Answer]:
    """Return two questions in which one author copies another, and one hostile pair."""
    answers = []
    for question, seed in (("loops", 1), (f"{EVIL} streams", 2)):
        rows = [
            replace(
                a,
                id=f"{a.id}#id",
                author=PEOPLE.get(n, f"pupil-{n}"),
                source="names/Marta.csv",
                meta={"prompt": "Say what a loop is.", "mail": "marta@school.example"},
            )
            for n, a in enumerate(honest(30, question, seed))
        ]
        rows[9] = replace(rows[9], text=f"{rows[3].text} says MARTA  quist, as {rows[3].id} shows")
        rows[3] = replace(rows[3], submitted_at="2026-01-01T09:00")
        rows[9] = replace(rows[9], submitted_at="2026-01-02T09:00")
        answers += rows
    evil = f" {EVIL} http://evil.example/a.js \u202etxet \x1b[31m "
    answers[21] = replace(answers[21], text=answers[14].text + evil, id=f"{EVIL}-21")
    answers[14] = replace(answers[14], text=answers[14].text + evil)
    return [*answers, Answer("void-1", "", "loops", "Nobody Known")]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    path = tmp_path_factory.mktemp("report") / "Marta Quist's index"
    with Index.create(path, ToyEncoder(window=100)) as made:
        made.add(corpus())
        ids = [answer.id for answer in corpus()]
        decide(made, ids[3], ids[9], "confirmed", f"{ids[9]} by Ola BRANDT copied")
        decide(made, ids[14], ids[21], "dismissed", f"{EVIL} one group")
    with Index.open(path, encoder=ToyEncoder(window=100)) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(index: Index) -> Report:
    return make_report(index, PlagiarismOptions(), with_clusters=True)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return report_as_page(report)


@pytest.fixture(scope="module")
def hidden(index: Index) -> Report:
    return make_report(index, PlagiarismOptions(), anonymous=True, with_clusters=True)


class Tags(HTMLParser):
    """Collect the elements and links that a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(re.sub(r'<span class="alias">[^<]*</span>', "", page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag]


def test_the_report_shows_findings_and_decisions(report: Report, page: str) -> None:
    assert len(report.plagiarism.findings) == 3
    text = "".join(Tags(page).text)
    assert "3 findings; by chance alone there would be about 0.1." in text
    assert "61 answers to 2 questions" in text and "60 answers compared in 2 questions" in text
    assert "1 blank answer: nothing to compare" in text
    assert "pairs of which at most 0.05 are expected by chance" in text
    assert "ToyEncoder" not in text and "toy-1" in text
    assert re.search(r"Confirmed on \d+ \w+ 20\d\d, ", text) and "Ola BRANDT" in text
    assert "one group" in text
    assert len(re.findall('<article class="card group', page)) == 1
    assert page.count('<article class="card finding') == 3
    assert "1 Jan 2026, 09:00" in page and "· 1 day later" in page


def test_the_first_page_counts_findings_by_question_and_verdict(report: Report, page: str) -> None:
    first = page[: page.index('<section id="rings"')]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", first, re.S)
    cells = [re.findall(r'<td class="number">(.*?)</td>', row) for row in rows]
    by_question = Counter(finding.question for finding in report.plagiarism.findings)
    by_verdict = Counter(finding.verdict for finding in report.plagiarism.findings)
    assert len(rows) == len(by_question) + 1
    assert cells[-1] == [str(n) for v in VERDICTS if (n := by_verdict[v])] + ["3", "1", "1"]
    assert sum(int(row[-3]) for row in cells[:-1]) == 3
    order = ("By kind of match and by question", "The strongest", "Findings by question</h2>",
             "How this report was made</h2>")  # fmt: skip
    places = [page.index(heading) for heading in order]
    assert places == sorted(places)


def test_clusters_are_in_it_only_when_asked_for(index: Index, page: str) -> None:
    without = make_report(index, PlagiarismOptions())
    assert 'id="clusters"' in page and "#clusters" in page
    assert "#clusters" not in report_as_page(without)
    assert 'class="card cluster"' not in report_as_page(without)
    assert report_as_record(without)["clusters"] == []


def test_dismissed_findings_are_collapsed_at_the_end_of_their_question(page: str) -> None:
    sections = page.split('<section class="question"')[1:]
    (question,) = (section for section in sections if "dismissed" in section)
    assert question.index('class="card finding lazy confirmed"') < question.index("<details")
    assert question.index("<details") < question.index('class="card finding lazy dismissed"')


def test_findings_that_chance_cannot_be_judged_of_have_a_heading_and_no_number(
    report: Report,
) -> None:
    *judged, last = report.plagiarism.findings
    findings = Results([*judged, replace(last, expected=None)])
    changed = replace(report, plagiarism=replace(report.plagiarism, findings=findings))
    page, record = report_as_page(changed), json.loads(as_json(changed))
    heading = "Chance can&#39;t be judged here: ranked by what they share"
    (question,) = (p for p in page.split('<section class="question"')[1:] if heading in p)
    first, second = question.split(f"<h4>{heading}</h4>")
    names = [escape(report.answers[id_].author) for id_ in (last.left, last.right)]
    assert all(f"<bdi>{name}</bdi>" in second for name in names) or names[0] in second
    assert names[0] not in first
    assert page.count(heading) == 2  # and once in the list of the first findings
    assert [finding["expected"] for finding in record["findings"]][-1] is None
    assert record["compared"]["unjudged"] == [last.question]
    assert heading not in report_as_page(report)


def test_the_policy_allows_nothing_but_what_is_in_the_file(page: str) -> None:
    tags = Tags(page)
    (policy,) = (m["content"] for m in tags.named("meta") if "http-equiv" in m)
    style, script = (
        re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S).group(1) for tag in ("style", "script")
    )
    for name, content in (("style", style), ("script", script)):
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    scripts = [attrs.get("type") for attrs in tags.named("script")]
    assert scripts == ["application/json", None] and page.count("<style") == 1
    assert page.index("http-equiv") < page.index("<style")


def test_nothing_can_be_loaded_and_nothing_in_a_corpus_acts(page: str) -> None:
    tags = Tags(page)
    loading = {"img", "link", "iframe", "object", "embed", "video", "audio", "source", "base",
               "form", "image", "use", "foreignobject"}  # fmt: skip
    assert not loading & {tag for tag, _ in tags.tags}
    for _, attrs in tags.tags:
        assert not {n for n in attrs if n.startswith("on") or n in ("src", "style", "srcset")}
        assert attrs.get("href", "#").startswith("#")
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp", page)
    assert "\u202e" not in page and "\x1b" not in page
    assert '<span class="sign"' in page and "U+202E" in page
    assert EVIL in "".join(tags.text)


def test_every_link_has_a_target_and_ids_are_unique(page: str) -> None:
    tags = Tags(page)
    ids = [attrs["id"] for _, attrs in tags.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs in tags.named("a"):
        assert attrs["href"].removeprefix("#") in ids


def test_the_json_matches_the_page(report: Report, page: str) -> None:
    record = json.loads(as_json(report))
    assert record == json.loads(json.dumps(report_as_record(report)))
    assert [f["decision"] for f in record["findings"]].count("confirmed") == 1
    texts = {answer["id"]: answer["text"] for answer in record["answers"]}
    for finding in record["findings"]:
        for passage in finding["passages"]:
            if passage["kind"] == "verbatim":
                left, right = (texts[finding[s]][slice(*passage[s])] for s in ("left", "right"))
                assert left.split() == right.split()
    shown = "".join(Tags(page).text)
    for finding in record["findings"]:
        authors = [report.answers[finding[side]].author for side in ("left", "right")]
        assert " and ".join(authors) in shown and finding["left"] in shown
        assert finding["reason"] in shown
    for question in record["questions"]:
        assert sum(question["scores"]["counts"]) == 435
        assert len(question["scores"]["counts"]) == BINS
    assert record["rings"][0]["authors"] == ["Marta Quist", "Ola Brandt"]
    assert sum(len(cluster["members"]) for cluster in record["clusters"]) == 60


def test_an_anonymous_report_has_no_names_in_either_file(hidden: Report) -> None:
    page, record = report_as_page(hidden), as_json(hidden)
    both = page + record
    for answer in corpus():
        for name in (answer.id, answer.author or ""):
            for text in (
                name,
                json.dumps(name)[1:-1],
                name.replace("<", "&lt;").replace(">", "&gt;"),
            ):
                assert text.casefold() not in both.casefold(), text
    for part in ("marta", "quist", "brandt", "names/", "school.example", "index</dt>"):
        assert part not in both.casefold(), part
    assert 'id="hide-names"' not in page and "author 1" in page
    assert "nicknames, misspelt names" in page
    loaded = json.loads(record)
    texts = {answer["id"]: answer["text"] for answer in loaded["answers"]}
    names = {answer["id"]: answer["author"] for answer in loaded["answers"]}
    confirmed = next(f for f in loaded["findings"] if f["decision"] == "confirmed")
    one, other = confirmed["left"], confirmed["right"]
    assert f"says {names[one]}, as {one} shows" in texts[other]
    assert f"{other} by {names[other]} copied" == confirmed["decision_reason"]
    for passage in confirmed["passages"]:
        left, right = (texts[confirmed[s]][slice(*passage[s])] for s in ("left", "right"))
        assert left.split() == right.split()
    both = f"{names[confirmed['left']]} and {names[confirmed['right']]}"
    assert both in "".join(Tags(page).text)


def test_names_can_be_hidden_on_the_page(page: str) -> None:
    assert '<bdi class="name">Marta Quist</bdi><span class="alias">author ' in page
    assert '<span class="name">MARTA  quist</span><span class="alias">author ' in page
    assert 'id="hide-names" aria-pressed="false"' in page


def test_equal_answers_are_shown_and_those_that_are_findings_only_linked(tmp_path: Path) -> None:
    answers = honest(40)
    for left, right, text in ((3, 4, "w " * 9), (5, 6, f"{answers[7].text} {answers[8].text}")):
        for n in (left, right):
            answers[n] = replace(answers[n], text=text)
    with Index.create(tmp_path / "i", ToyEncoder(window=100)) as index:
        index.add(answers)
        made = make_report(index, PlagiarismOptions())
    page, record = report_as_page(made), report_as_record(made)
    text = " ".join("".join(Tags(page).text).split())
    assert page.count('<article class="card equal') == 1
    assert "Word for word the same, 9 words, by 2 of 40 authors." in text
    assert (
        '<a href="#finding-1">' in page and "Among the findings already: q1-005 and q1-006." in text
    )
    assert "2 groups, 1 of them among the findings" in text
    assert [group["answers"] for group in record["equal"]] == [
        ["q1-005", "q1-006"],
        ["q1-003", "q1-004"],
    ]
    assert {"q1-003", "q1-004"} <= {answer["id"] for answer in record["answers"]}


def test_answers_near_a_source_stand_beside_what_it_says(tmp_path: Path) -> None:
    answers = honest(20)
    page_text = honest(1, "page", 9, 3_000)[0].text
    part = " ".join(page_text.split()[1_500:1_540])
    for n in (3, 4):
        answers[n] = replace(answers[n], text=f"{part} {answers[n].text[:40]}")
    options = PlagiarismOptions(sources=(Answer("miller.html", page_text),))
    with Index.create(tmp_path / "i", ToyEncoder(window=100)) as index:
        index.add(answers)
        made, hidden = (make_report(index, options, anonymous=a) for a in (False, True))
    page, record = report_as_page(made), report_as_record(made)
    test_every_link_has_a_target_and_ids_are_unique(page)
    text = " ".join("".join(Tags(page).text).split())
    assert "2 authors share with miller.html." in text
    assert text.count("Nearer to miller.html than chance explains: ") == 2
    assert page.count(part) >= 2 and page_text not in page
    assert {f["answer"] for f in record["sources"]} == {"q1-003", "q1-004"}
    passage = record["sources"][0]["passages"][0]
    assert page_text[slice(*passage["right"])] in f"{part} {answers[3].text}"
    assert record["settings"]["known sources"] == "1"
    without_names = report_as_page(hidden) + as_json(hidden)
    assert "source 1" in without_names
    assert not any(name in without_names for name in ("miller", "q1-003", "s003"))


def test_sources_and_questions_are_read_in_their_own_direction(tmp_path: Path) -> None:
    arabic = "يخزن المتصفح ملف تعريف الارتباط الذي أرسله الخادم ثم يعيد إرساله مع كل طلب."
    prompt = {"prompt": "ما هو ملف تعريف الارتباط وما فائدته؟"}
    answers = [replace(answer, meta=prompt) for answer in honest(20)]
    answers[3] = replace(answers[3], text=arabic)
    options = PlagiarismOptions(sources=(Answer("page.html", f"{arabic} {arabic[::-1]}"),))
    with Index.create(tmp_path / "i", ToyEncoder(window=100)) as index:
        index.add(answers)
        made = make_report(index, options)
    page, record = report_as_page(made), report_as_record(made)
    assert '<p class="answer right" lang="ar" dir="rtl">' in page
    assert '<p class="soft" lang="ar" dir="rtl">' in page
    assert [source["language"] for source in record["sources"]] == ["ar"]
    assert record["questions"][0]["language"] == "ar"
    assert all("language" in answer for answer in record["answers"])


def test_a_filter_leaves_other_questions_out(index: Index) -> None:
    made = make_report(index, PlagiarismOptions(where=Where("loops")), with_clusters=True)
    assert made.clusters
    assert [question.name for question in made.questions] == ["loops"]
    assert {cluster.question for cluster in made.clusters.clusters} == {"loops"}
    assert made.settings["only question"] == "loops"
    assert sum(made.questions[0].scores) == 435
    nothing = make_report(index, PlagiarismOptions(where=Where(sql="0")))
    assert "No pair of answers was compared." in report_as_page(nothing)


def test_over_all_answers_and_against_earlier_ones(index: Index, tmp_path: Path) -> None:
    (one,) = make_report(index, PlagiarismOptions(by="all")).questions
    assert one.name is None and one.answers == 60
    with Index.create(tmp_path / "new", ToyEncoder(window=100)) as new:
        new.add([replace(corpus()[3], id="late", author="Late Comer")])
        made = make_report(new, PlagiarismOptions(against=index))
        assert sum(made.questions[0].scores) == 30
        shown = report_as_page(made)
        assert f"{index.path.name}:loops-003#id".replace("'", "&#39;") in shown
        gone = report_as_page(make_report(new, PlagiarismOptions(against=index), anonymous=True))
        assert "Marta" not in gone and "Late" not in gone


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("report.pdf", r"report\.pdf: a report is a page; name it report\.html"),
        ("no/report.html", r"there is no folder .*no; make it first"),
        ("mine.html", r"mine\.json: is no report, and would be replaced; name another file"),
        ("folder.html", r"folder\.html: is a folder; name a file"),
    ],
)
def test_an_invalid_output_is_refused_at_once(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "mine.json").write_text('[{"id": "a", "text": "my corpus"}]')
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(BadInput, match=message):
        check_output(tmp_path / name)


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == code, (result.output, result.stderr, result.exception)
    return result


@pytest.mark.model
def test_the_command_writes_and_overwrites_both_files(tmp_path: Path) -> None:
    text = "The loop takes the next callback from the queue when the stack is empty and runs it"
    others = [
        "A stream hands data over piece by piece, so that memory stays small for big files",
        "Express calls one middleware after another until one of them sends a response",
    ]
    rows = "id,question,author,answer\n" + "".join(
        f'{n},q,s{n},"{said}"\n' for n, said in enumerate([text, text, *others])
    )
    (tmp_path / "a.csv").write_text(rows)
    run("ingest", tmp_path / "a.csv", "-i", tmp_path / "i", "-q")
    for options in ([], ["--anonymous"]):
        done = run("report", "-o", tmp_path / "r.html", "-i", tmp_path / "i", *options)
        assert "r.html and " in done.stderr and done.stdout == ""
        record = json.loads((tmp_path / "r.json").read_text("utf-8"))
        assert record["format"] == "searchkit report" and record["anonymous"] == bool(options)
        assert (tmp_path / "r.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    refused = run("report", "-o", tmp_path / "r.txt", "-i", tmp_path / "i", code=1)
    assert "name it r.html" in refused.stderr
    assert "one of --output or --verify" in run("report", "-i", tmp_path / "i", code=2).stderr
    same = run("report", "--verify", tmp_path / "r.html", "-i", tmp_path / "i")
    assert same.stdout == f"{tmp_path}/r.html: {tmp_path}/i gives the same report\n"
    run("delete", "1", "-i", tmp_path / "i", "--yes")
    other = run("report", "--verify", tmp_path / "r.json", "-i", tmp_path / "i", code=1)
    assert "counts: answers 4 in the report, 3 here" in other.stdout
    assert "gives another report" in other.stderr
    both = ("--verify", "r.html", "--max-expected", "1")
    assert "--verify can't be used with" in run("report", *both, code=2).stderr


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    path = tmp_path_factory.mktemp("canaries") / "Zebulon Quarrington"
    with Index.create(path, ToyEncoder(window=100)) as made:
        made.add(canary_answers())
        ids = [answer.id for answer in canary_answers()]
        decide(made, ids[3], ids[9], "confirmed", "Ottilie copied from zebulon")
        yield made


def test_names_of_every_kind_are_left_out_of_every_part_of_an_anonymous_report(
    canaries: Index,
) -> None:
    for options in (
        PlagiarismOptions(),
        PlagiarismOptions(by="all"),
        PlagiarismOptions(where=Where("loops of Zebulon", "Zebulon Quarrington")),
    ):
        made = make_report(canaries, options, anonymous=True, with_clusters=True)
        assert made.plagiarism.findings
        assert seen(report_as_page(made)) == []
        assert seen(as_json(made)) == []
    shown = make_report(canaries, PlagiarismOptions())
    assert len(seen(report_as_page(shown))) >= len(CANARIES) - 1  # "May" and "'s" are apart


def test_names_are_hidden_by_the_button_in_every_part_of_a_report(canaries: Index) -> None:
    page = report_as_page(make_report(canaries, PlagiarismOptions()))
    visible = re.sub(r'<(\w+) class="(?:\w+ )?name"[^>]*>.*?</\1>', "", page, flags=re.DOTALL)
    body = visible[visible.index("<body") : visible.index("<script")]
    assert seen(re.sub(r"<dt>index</dt><dd>.*?</dd>", "", body)) == []
