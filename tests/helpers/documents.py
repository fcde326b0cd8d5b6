"""Documents as word processors and others write them, built by the usual libraries."""

from __future__ import annotations

import io
import zipfile

import docx
import pypdf
from odfdo import Document, Header, List, Paragraph, Table
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Loops", 1)
    document.add_paragraph("One & ").add_run("two").bold = True
    document.add_paragraph("a point", style="List Bullet")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "left", "right"
    document.add_paragraph("line\nbreak\ttab").paragraph_format.tab_stops.add_tab_stop(9)
    return saved(document)


def open_document() -> bytes:
    document = Document("text")
    document.body.clear()
    document.body.append(Header(1, "Loops"))
    paragraph = Paragraph("One & two  three")
    paragraph.insert_note(after="two", note_class="footnote", note_id="n", citation="1", body="no")
    paragraph.insert_annotation(after="One", body="a comment", creator="Ada")
    document.body.append(paragraph)
    document.body.append(List(["a point", "another"]))
    table = Table("t", width=2, height=1)
    table.set_value("A1", "left")
    table.set_value("B1", "right")
    document.body.append(table)
    return saved(document)


def portable(*pages: str, password: str | None = None, repeat: int = 1) -> bytes:
    writer = pypdf.PdfWriter()
    font = DictionaryObject({
        NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
        NameObject("/BaseFont"): NameObject("/Helvetica"),
    })  # fmt: skip
    for lines in pages:
        page = writer.add_blank_page(600, 800)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        shown = " ".join(f"({line}) Tj T*" for line in lines.splitlines())
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 14 TL 50 700 Td {shown} ET\n".encode() * repeat)
        page[NameObject("/Contents")] = writer._add_object(stream.flate_encode())
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def zip_of(part: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(part, content)
    return file.getvalue()
