"""Rich text (.rtf), by striprtf."""

from __future__ import annotations

from searchkit.core.errors import BadInput, MissingExtra, first_line


def rtf_text(data: bytes, source: str) -> str:
    """Return the text of a .rtf.

    Raises:
        BadInput: if it is no .rtf, or damaged.
        MissingExtra: if striprtf isn't installed.
    """
    try:
        from striprtf.striprtf import rtf_to_text
    except ImportError:
        raise MissingExtra(
            f"{source}: reading .rtf needs striprtf: pip install 'searchkit[documents]'"
        ) from None
    if not data.lstrip().startswith(b"{\\rtf"):
        raise BadInput.at(source, None, "no .rtf file by its beginning; save it again")
    try:
        text = rtf_to_text(data.decode("latin-1"), errors="replace")
    except Exception as error:  # damage shows as errors of any class
        what = f"not a complete .rtf file ({first_line(error)}); save it again"
        raise BadInput.at(source, None, what) from None
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
