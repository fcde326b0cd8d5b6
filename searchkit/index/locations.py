"""Where an index is: a folder, a Milvus server, or a file of Milvus Lite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from searchkit.encoding.encoder import Encoder
    from searchkit.index.base import BaseIndex


Place = Path | str  # a folder, or an address of Milvus as `milvus.address.Address.read` takes it


def place_of(written: Place) -> Place:
    """Return the place that a user wrote: an address and `FILE.db` are Milvus, else a folder."""
    if isinstance(written, Path) or written.startswith(("milvus+", "http://", "https://")):
        return written
    if written.endswith(".db") and not (Path(written) / "answers.db").exists():
        return written
    return Path(written)


def open_index(place: Place, *, write: bool = False, encoder: Encoder | None = None) -> BaseIndex:
    """Open an index.

    Args:
        place: Its folder, or where Milvus is: `milvus+http://HOST:PORT/COLLECTION`, `FILE.db`.
        write: Whether it is changed; see `Index.open`.
        encoder: The model; see `Index.open`.

    Raises:
        IndexNotFound: If there is no index.
        BadInput: If the address of a Milvus server is none.
    """
    place = place_of(place)
    if isinstance(place, Path):
        from searchkit.index.folder import Index

        return Index.open(place, write=write, encoder=encoder)
    from searchkit.index.milvus.index import MilvusIndex

    return MilvusIndex.open(place, write=write, encoder=encoder)


def open_or_create(place: Place, encoder: Encoder | None = None) -> BaseIndex:
    """Open the index at a place for writing; create it if there is none."""
    place = place_of(place)
    if isinstance(place, Path):
        from searchkit.index.folder import Index
        from searchkit.index.storage.schema import is_index

        if is_index(place):
            return Index.open(place, write=True, encoder=encoder)
        return Index.create(place, encoder)
    from searchkit.index.milvus.index import MilvusIndex

    if MilvusIndex.exists(place):
        return MilvusIndex.open(place, write=True, encoder=encoder)
    return MilvusIndex.create(place, encoder)
