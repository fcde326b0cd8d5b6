"""Where an index is: a folder, a Milvus server, or a file of Milvus Lite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from searchkit.encoding.encoder import Encoder
    from searchkit.index.base import BaseIndex


Place = Path | str  # a folder, or what Milvus's `Address.read` takes


def place_of(written: str) -> Place:
    """Read what a user wrote: `milvus+…` and `FILE.db` are Milvus, all else is a folder."""
    if written.startswith("milvus+"):
        return written
    if written.endswith(".db") and not (Path(written) / "answers.db").exists():
        return written
    return Path(written)


def open_index(place: Place, *, write: bool = False, encoder: Encoder | None = None) -> BaseIndex:
    """Open the index at a place; see `Index.open`."""
    if isinstance(place, Path):
        from searchkit.index.folder import Index

        return Index.open(place, write=write, encoder=encoder)
    from searchkit.index.milvus.index import MilvusIndex

    return MilvusIndex.open(place, write=write, encoder=encoder)


def open_or_create(place: Place, encoder: Encoder | None = None) -> BaseIndex:
    """Open the index at a place for writing; make it if there is none."""
    if isinstance(place, Path):
        from searchkit.index.folder import Index, is_index

        made = is_index(place)
        return (
            Index.open(place, write=True, encoder=encoder) if made else Index.create(place, encoder)
        )
    from searchkit.index.milvus.index import MilvusIndex

    made = MilvusIndex.is_there(place)
    return (
        MilvusIndex.open(place, write=True, encoder=encoder)
        if made
        else MilvusIndex.create(place, encoder)
    )
