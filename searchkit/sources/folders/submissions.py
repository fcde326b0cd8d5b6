"""Answers out of folders, zips and single documents: whose each file is, and for which question.

The names say it: those of a platform's export, or else the folders (`roles`). One file is one
answer. Where an author has several files for a question, they are told apart by what all call them
(`report`, `program`), or else by their kind: text or code; what is left is one answer in parts, as
a program in several files is handed in as a whole.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from searchkit.core.errors import BadInput
from searchkit.core.identity import author_key
from searchkit.core.messages import counted, listed, printable
from searchkit.core.records import Answer
from searchkit.sources.columns import Reject
from searchkit.sources.documents.formats import (
    OTHER_DOCUMENTS,
    DocumentText,
    document_texts,
    is_code,
    is_document,
    is_text,
    suffix_of,
)
from searchkit.sources.files import ENDINGS, FileOptions, NothingFound
from searchkit.sources.folders.handouts import find_handouts
from searchkit.sources.folders.members import FileLeftOut, InnerZips, Member
from searchkit.sources.folders.roles import find_roles
from searchkit.sources.platforms.archives.archives import ARCHIVES, recognize_archive
from searchkit.sources.platforms.archives.submission import Classify, Listing, Submission

MAX_SHOWN_NAMES = 5  # of questions and authors
_ZIP = "a zip in a zip in another; unpack it first"
MIN_SHARED = 0.8  # of the files whose names several authors use, for the names to be questions
MakeId = Callable[[str | None, str | None, str], str]  # takes question, author and text


@dataclass(frozen=True, slots=True)
class FolderLayout:
    """What a folder's names were taken for.

    Attributes:
        text: It as a line.
    """

    text: str

    def describe(self, _: Sequence[str]) -> str:
        """Return the line."""
        return self.text

    def roles(self) -> dict[str, str]:
        """Return no fields, as there are no columns."""
        return {}


@dataclass(frozen=True, slots=True)
class SubmissionReader:
    """Reads the files of folders and zips.

    Attributes:
        options: How files are read.
        make_id: Makes the ids.
        skip: Called with a message for each file that is left out.
        reject: Called with each file that can't be read; None raises for a text, and leaves out a
            document.
        on_layout: Called with what the names were taken for.
    """

    options: FileOptions
    make_id: MakeId
    skip: Callable[[str], None]
    reject: Callable[[Reject], None] | None
    on_layout: Callable[[str, FolderLayout, Sequence[str]], None]

    def read(self, members: Sequence[Member], source: str) -> Iterator[Answer]:
        """Yield the answers in a folder or zip.

        Raises:
            NothingFound: if there are none.
            BadInput: if it isn't the export that was asked for, or a file can't be read.
        """
        zips = [m.name.rpartition(".")[0] for m in members if suffix_of(m.name) == ".zip"]
        members = self._with_inner(members, source)
        by_name = {member.name: member for member in members}
        what, classify = self._classify(by_name, zips, source)
        found: list[tuple[Member, Submission]] = []
        left_out: list[str] = []
        for member in members:
            submission = classify(member.name)
            if isinstance(submission, str):
                left_out.append(f"{member.source}: {submission}")
            elif why := self._why_no_text(submission.file, member):
                left_out.append(f"{member.source}: {why}")
            else:
                found.append((member, submission))
        handouts = find_handouts(found)
        found = [part for part in found if part[0].name not in handouts]
        left_out += [
            f"{by_name[name].source}: handed out, as {count:,} people have it alike"
            for name, count in handouts.items()
        ]
        if found:
            self.on_layout(source, FolderLayout(f"{what}; {_describe(found)}"), ())
        for line in left_out:
            self.skip(line)
        if not found:
            raise NothingFound(
                f"{source}: no text files in it; their names end in .txt, .docx, .pdf, .md, .java, "
                ".py … (name a spreadsheet by its own path)"
            )
        for question, parts in _answers_of(found):
            yield from self._answers(question, parts, source)

    def read_document(self, member: Member) -> Iterator[Answer]:
        """Yield the answer in a single file, or those of a notebook's questions.

        Raises:
            BadInput: if it can't be read.
        """
        author = None if member.name == "-" else PurePosixPath(member.name).stem
        self.on_layout(member.source, FolderLayout(f"a document; author: {author or 'none'}"), ())
        encoding = self.options.encoding_of(member.source)
        texts = document_texts(member.name, member.read(), member.source, encoding)
        for text in texts:
            yield self._answer(text, Submission(author, member.name, text.question), member.source)

    def _with_inner(self, members: Sequence[Member], source: str) -> list[Member]:
        """Return the files with those of zips among them in place of the zips."""
        zips = InnerZips(source)
        all_members: list[Member] = []
        for member in members:
            if suffix_of(member.name) != ".zip":
                all_members.append(member)
                continue
            try:
                all_members += zips.members(member, self.skip)
            except BadInput as error:
                self._leave_out(member, error)
        return all_members

    def _classify(
        self, members: dict[str, Member], zips: Sequence[str], source: str
    ) -> tuple[str, Classify]:
        """Find what says whose a file is; return a description, and it."""
        platform, first = self.options.platform, self.options.folder_is
        if (platform is None and first in (None, "author")) or platform in ARCHIVES:
            listing = Listing(source, list(members), lambda name: members[name].read())
            if archive := recognize_archive(listing, platform):
                return archive
        names = [name for name in members if not self._why_no_text(name)]
        roles = find_roles(names, first, zips)
        return roles.describe(), roles.submission

    def _why_no_text(self, name: str, member: Member | None = None) -> str | None:
        """Return why a file is no text by its name, or by its content where that doesn't say it."""
        suffix = suffix_of(name)
        if is_text(name) or suffix in self.options.suffixes:
            return None
        if suffix in ENDINGS:
            return _ZIP if suffix == ".zip" else "a table, not a text; name it by its own path"
        if suffix in OTHER_DOCUMENTS:
            return "a document that can't be read; save it as .docx or .pdf"
        if suffix:
            return "not a text file by its name"
        return None if member is None or _is_plain(member) else "not a text file"

    def _answers(
        self, question: str | None, parts: Sequence[tuple[Member, Submission]], source: str
    ) -> Iterator[Answer]:
        """Yield the answer that files make, and those to questions that a notebook names."""
        joined: list[tuple[Member, Submission, DocumentText]] = []
        for member, submission in parts:
            for text in self._texts(member, submission):
                if text.question is not None:
                    yield self._answer(text, submission, member.source)
                else:
                    joined.append((member, submission, text))
        if joined:
            members, submissions, texts = zip(*joined, strict=True)
            columns = dict(submissions[0].columns)
            if len(joined) > 1:
                columns["files"] = ", ".join(submission.file for submission in submissions)
            whole = Submission(
                submissions[0].author,
                submissions[0].file,
                question,
                submissions[0].submitted_at,
                columns,
            )
            yield self._answer(_joined(texts), whole, members[0].source)

    def _texts(self, member: Member, submission: Submission) -> list[DocumentText]:
        """Return a file's texts; none if it can't be read, which is reported."""
        try:
            data = member.read()
            encoding = self.options.encoding_of(member.source)
            texts = document_texts(submission.file, data, member.source, encoding)
        except BadInput as error:
            can_be_left_out = isinstance(error, FileLeftOut) or is_document(submission.file)
            if self.reject is None and not (can_be_left_out and error.what):
                raise
            self._leave_out(member, error)
        else:
            if submission.cut is None:
                return texts
            cut = [DocumentText(submission.cut(text.text)) for text in texts]
            return [text for text in cut if text.text]
        return []

    def _leave_out(self, member: Member, error: BadInput) -> None:
        """Report a file that can't be read."""
        if self.reject is None:
            self.skip(error.message)
        else:
            reason = error.what if error.line is None else None
            self.reject(Reject(member.source, None, reason or error.message, ""))

    def _answer(self, text: DocumentText, submission: Submission, source: str) -> Answer:
        question = text.question or submission.question
        return Answer(
            id=self.make_id(question, submission.author, text.text),
            text=text.text,
            question=question,
            author=submission.author,
            submitted_at=submission.submitted_at,
            source=source,
            meta=submission.columns,
            original=text.original,
            has_made_id=True,
        )


def _describe(found: Sequence[tuple[Member, Submission]]) -> str:
    """Return the questions and authors of files, as far as a line has room for them."""
    questions = {part.question: None for _, part in found if part.question}
    authors = {part.author: None for _, part in found if part.author}
    return "; ".join((
        f"questions: {_first_names(questions)}",
        f"authors: {_first_names(authors)}",
        counted(len(found), "file"),
    ))  # fmt: skip


def _first_names(names: Iterable[str]) -> str:
    found = list(names)
    rest = len(found) - MAX_SHOWN_NAMES
    return listed(found[:MAX_SHOWN_NAMES]) + (f" … and {rest:,} more" if rest > 0 else "")


def _is_plain(member: Member) -> bool:
    """Whether a file without a suffix is a text: UTF-8 without zeros."""
    try:
        return "\0" not in member.read().decode()
    except (UnicodeDecodeError, FileLeftOut):
        return False


def _joined(texts: Sequence[DocumentText]) -> DocumentText:
    """Return several texts as one, with blank lines between them."""
    if len(texts) == 1:
        return texts[0]
    originals = [text.original for text in texts]
    has_original = any(originals)
    return DocumentText(
        "\n\n".join(text.text.strip("\n") for text in texts),
        original="\n\n".join(text.original or text.text for text in texts)
        if has_original
        else None,
    )


_Part = tuple[Member, Submission]


def _answers_of(found: Sequence[_Part]) -> list[tuple[str | None, list[_Part]]]:
    """Return the question and the files of each answer, in the order of their first files."""
    by_question: defaultdict[str | None, list[_Part]] = defaultdict(list)
    for part in found:
        by_question[part[1].question].append(part)
    answers: dict[object, tuple[str | None, list[_Part]]] = {}
    for question, parts in by_question.items():
        role_of = _role_finder([submission for _, submission in parts])
        for number, part in enumerate(parts):
            submission = part[1]
            role = role_of(submission)
            name = "/".join(filter(None, (question, role))) or None
            person = author_key(submission.author) or number
            key = (name, person, submission.attempt)
            answers.setdefault(key, (name, []))[1].append(part)
    order = {part[0].name: number for number, part in enumerate(found)}
    return sorted(answers.values(), key=lambda answer: order[answer[1][0][0].name])


def _role_finder(submissions: Sequence[Submission]) -> Callable[[Submission], str]:
    """Return what says a file's role within a question: "" if an author has one file only."""
    keys = Counter(
        (author_key(submission.author), submission.attempt)
        for submission in submissions
        if submission.author
    )
    if max(keys.values(), default=1) == 1:
        return lambda _: ""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for submission in submissions:
        users[_stem(submission)].add(author_key(submission.author) or "")
    num_authors = len({key for key, _ in keys})
    shared = {stem for stem, people in users.items() if len(people) > max(1, num_authors / 2)}
    num_shared = sum(_stem(submission) in shared for submission in submissions)
    if len(shared) > 1 and num_shared >= MIN_SHARED * len(submissions):
        return _stem
    kinds = {_kind(submission) for submission in submissions}
    return _kind if len(kinds) > 1 else lambda _: ""


def _stem(submission: Submission) -> str:
    return printable(PurePosixPath(submission.file).stem)


def _kind(submission: Submission) -> str:
    return "code" if is_code(submission.file) else "text"
