"""Addresses of collections: on a Milvus server, or in a file of Milvus Lite."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from searchkit.core.errors import BadInput

TOKEN_VARIABLE = "SEARCHKIT_MILVUS_TOKEN"  # the environment variable with token or user:password
# The kinds of vector index that a collection can have, with their parameters
INDEX_TYPES: dict[str, dict[str, int]] = {
    "FLAT": {},
    "HNSW": {"M": 16, "efConstruction": 200},
    "IVF_FLAT": {"nlist": 1024},
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection is.

    Attributes:
        uri: `http://host:port`, or the path of a Milvus Lite file.
        collection: The collection's name.
        index_type: Key of INDEX_TYPES; used when the collection is created.
    """

    uri: str
    collection: str
    index_type: str

    @property
    def is_lite(self) -> bool:
        """Whether it is a file of Milvus Lite."""
        return "://" not in self.uri

    def is_missing_file(self) -> bool:
        """Whether it is a Milvus Lite file that doesn't exist; opening it would create it."""
        return self.is_lite and not Path(self.uri).exists()

    def __str__(self) -> str:
        return self.uri if self.is_lite else f"milvus+{self.uri}/{self.collection}"

    @classmethod
    def read(cls, place: str) -> Address:
        """Read `milvus+http://host:19530/corpus?index=hnsw`, `milvus+lite:FILE.db` or `FILE.db`.

        Raises:
            BadInput: if it is none of these.
        """
        file = place.removeprefix("milvus+lite:")
        if file != place or "://" not in place:
            if not file.endswith(".db"):
                raise BadInput(f"{place}: a file of Milvus Lite ends in .db")
            return cls(str(Path(file).absolute()), "corpus", "FLAT")
        url = urlsplit(place.removeprefix("milvus+"))
        name = url.path.strip("/")
        if url.scheme not in ("http", "https") or not url.hostname or not _is_name(name):
            raise BadInput(
                f"{place}: write milvus+http://HOST:19530/CORPUS, where CORPUS is made of letters, "
                "digits and _"
            )
        if "@" in url.netloc:
            raise BadInput(f"no password in the address; put the token into {TOKEN_VARIABLE}")
        index_type = dict(parse_qsl(url.query)).get("index", "hnsw").upper()
        if index_type not in INDEX_TYPES:
            allowed = ", ".join(INDEX_TYPES).lower()
            raise BadInput(f"{place}: index is one of {allowed}, not {index_type}")
        return cls(f"{url.scheme}://{url.netloc}", name, index_type)


def _is_name(name: str) -> bool:
    return name.isascii() and name.isidentifier() and len(name) <= 255
