"""One collection of a Milvus, as little of it as an index needs; pymilvus is imported here alone.

Every call is tried again while the server is away, and what it says is turned into our errors.
Reads are strongly consistent: what was acknowledged is found, by any process.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from searchkit.core.arrays import Float32
from searchkit.core.errors import (
    BadInput,
    IndexBusy,
    IndexDamaged,
    IndexNotFound,
    MissingExtra,
    StorageFailed,
)
from searchkit.index.milvus.rows import END, FIELDS, KEY, Row
from searchkit.index.records import Model

log = logging.getLogger("searchkit")
TOKEN = "SEARCHKIT_MILVUS_TOKEN"  # the variable with the token, or user:password
FORMAT = "1"
MOST = 16_384  # rows that Milvus gives to one query or search
PAGE = 2_000  # rows that are fetched at once, about
BATCH = 1_000  # rows that are written at once, at most
BATCH_BYTES = 8_000_000
KINDS: dict[str, dict[str, Any]] = {
    "FLAT": {},
    "HNSW": {"M": 16, "efConstruction": 200},
    "IVF_FLAT": {"nlist": 1024},
}
EF, NPROBE = 256, 64  # how far HNSW and IVF_FLAT look, at least
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0  # seconds between tries
OPENING, PATIENCE = 10.0, 300.0  # seconds that a server may be away: when it is opened, and later


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection is.

    Attributes:
        uri: `http://host:port`, or the path of a Milvus Lite file.
        collection: Its name.
        kind: Of the vectors' index, where it is made.
    """

    uri: str
    collection: str
    kind: str

    @property
    def is_lite(self) -> bool:
        """Return whether it is a file of Milvus Lite."""
        return "://" not in self.uri

    def is_missing_file(self) -> bool:
        """Return whether it is a Lite file that isn't there; opening it would make it."""
        return self.is_lite and not Path(self.uri).exists()

    def __str__(self) -> str:
        return self.uri if self.is_lite else f"milvus+{self.uri}/{self.collection}"

    @classmethod
    def read(cls, place: str) -> Address:
        """Read `milvus+http://host:19530/corpus?index=hnsw`, `milvus+lite:FILE.db` or `FILE.db`.

        Raises:
            BadInput: if it is not so.
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
            raise BadInput(f"no password in the address; put the token into {TOKEN}")
        kind = dict(parse_qsl(url.query)).get("index", "hnsw").upper()
        if kind not in KINDS:
            raise BadInput(f"{place}: index is one of {', '.join(KINDS).lower()}, not {kind}")
        return cls(f"{url.scheme}://{url.netloc}", name, kind)


def _is_name(name: str) -> bool:
    return name.isascii() and name.isidentifier() and len(name) <= 255


class Collection:
    """A collection in which every row has the fields of `milvusrows` and a vector."""

    def __init__(self, address: Address, client: Any) -> None:  # noqa: ANN401
        self.address = address
        self._client = client
        self._patience = OPENING
        self._kind = address.kind

    @classmethod
    def connect(cls, address: Address) -> Collection:
        """Connect to where a collection is, or is to be.

        Raises:
            MissingExtra: if pymilvus isn't installed.
            StorageFailed: if nobody answers there, or not to us.
            IndexBusy: if another process has the Lite file open.
        """
        try:
            import pymilvus
        except ImportError as error:
            raise MissingExtra(
                f"{address} needs {error.name}; run: pip install 'searchkit[milvus]'"
            ) from None
        for name in ("pymilvus", "milvus_lite", "grpc._server"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what they say, we say as errors
        collection = cls(address, None)
        token = os.environ.get(TOKEN, "")
        with _translated(address):
            collection._client = collection._again(
                lambda: pymilvus.MilvusClient(address.uri, token=token, timeout=OPENING)
            )
        return collection

    def close(self) -> None:
        """Let go of the connection, and of the file if it is one."""
        self._client.close()
        if self.address.is_lite:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(self.address.uri)

    # -- the collection --------------------------------------------------------------------------

    def exists(self) -> bool:
        """Return whether it is there."""
        return bool(self._call("has_collection", self.address.collection))

    def create(self, model: Model) -> None:
        """Make it, for the vectors of a model."""
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        for name, size in FIELDS:
            if size:
                schema.add_field(name, DataType.VARCHAR, max_length=size, is_primary=name == "pk")
            else:
                schema.add_field(name, DataType.INT64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=model.dimension)
        indexes = MilvusClient.prepare_index_params()
        kind = self.address.kind
        indexes.add_index("vector", index_type=kind, metric_type="IP", params=KINDS[kind])
        for name in () if self.address.is_lite else ("key", "sha", "question", "author"):
            indexes.add_index(name, index_type="Trie")
        self._call(
            "create_collection",
            self.address.collection,
            schema=schema,
            index_params=indexes,
            consistency_level="Strong",
            properties=_properties(model),
        )
        self._patience = PATIENCE

    def open(self) -> Model:
        """Make it ready for reading; return the model that its vectors are of.

        Raises:
            IndexNotFound: if it isn't there.
            IndexDamaged: if searchkit didn't make it, or a newer one.
        """
        if not self.exists():
            raise IndexNotFound(f"{self.address}: no index here; make one with: searchkit ingest")
        model = _model(self.address, self._call("describe_collection", self.address.collection))
        self._call("load_collection", self.address.collection)
        self._kind = self._call("describe_index", self.address.collection, "vector")["index_type"]
        self._patience = PATIENCE
        return model

    def describe(self) -> dict[str, str]:
        """Say what server it is, and how the vectors are kept."""
        version = self._call("get_server_version")
        exact = "exact" if self._kind == "FLAT" else "approximate; verify measures it"
        return {
            "milvus": f"{version}, collection {self.address.collection}",
            "search": f"{self._kind}, inner product, {exact}",
            "reads": "strongly consistent",
        }

    # -- rows ------------------------------------------------------------------------------------

    def count(self, where: str = "part >= 0") -> int:
        """Count rows."""
        rows = self._call(
            "query", self.address.collection, filter=where, output_fields=["count(*)"]
        )
        return int(rows[0]["count(*)"])

    def rows(self, where: str, fields: Sequence[str]) -> list[Row]:
        """Return the rows that a filter allows, MOST at most."""
        found = self._call(
            "query", self.address.collection, filter=where, output_fields=list(fields), limit=MOST
        )
        return [dict(row) for row in found]

    def pages(self, where: str, fields: Sequence[str]) -> Iterator[list[Row]]:
        """Stream the rows that a filter allows, all rows of an answer on one page.

        A page is a stretch of keys, which are hashes and so lie evenly. Milvus gives no more than
        MOST rows and doesn't say in which order, so a stretch that is full is halved.
        """
        pages = max(1, -(-self.count(where) // PAGE))
        step = 16**KEY // pages
        starts = [n * step for n in range(pages)] + [16**KEY]
        unit = 16 ** (END - KEY)
        for start, stop in pairwise(starts):
            if rows := self._stretch(where, fields, start * unit, stop * unit):
                yield rows

    def _stretch(self, where: str, fields: Sequence[str], start: int, stop: int) -> list[Row]:
        upper = f' and pk < "{stop:0{END}x}"' if stop < 16**END else ' and pk < "g"'
        rows = self.rows(f'pk >= "{start:0{END}x}"{upper} and {where}', fields)
        if len(rows) < MOST:
            return rows
        middle = (start + stop) // 2
        return [
            *self._stretch(where, fields, start, middle),
            *self._stretch(where, fields, middle, stop),
        ]

    def of_keys(
        self, keys: Sequence[str], fields: Sequence[str], where: str = "part >= 0"
    ) -> list[Row]:
        """Return all rows of the answers with these keys."""
        return self.among("key", keys, fields, where)

    def among(
        self, field: str, values: Sequence[str], fields: Sequence[str], where: str = "part >= 0"
    ) -> list[Row]:
        """Return all rows in which a field has one of these values, PAGE values at a time."""
        found: list[Row] = []
        for start in range(0, len(values), PAGE):
            some = values[start : start + PAGE]
            rows = self.rows(f"{field} in {json.dumps(some)} and {where}", fields)
            if len(rows) == MOST:
                rows = self._stretch(
                    f"{field} in {json.dumps(some)} and {where}", fields, 0, 16**END
                )
            found += rows
        return found

    def places_of(self, shas: Sequence[str]) -> dict[str, str]:
        """Return, for those of these hashes that have a vector, the key of one row with it."""
        found: dict[str, str] = {}
        for start in range(0, len(shas), PAGE):
            left = set(shas[start : start + PAGE])
            full = True
            while left and full:  # a text that thousands gave fills an answer alone
                rows = self.rows(f"sha in {json.dumps(sorted(left))}", ["pk", "sha"])
                found |= {row["sha"]: row["pk"] for row in rows}
                left -= found.keys()
                full = len(rows) == MOST
        return found

    def search(self, vectors: Float32, limit: int, where: str) -> list[list[Row]]:
        """Return the rows nearest to each vector, best first, each with its `score`.

        Args:
            vectors: `(q, d)` float32, finite: Milvus Lite takes NaN and finds nonsense.
            limit: How many, at most MOST.
            where: Which rows.
        """
        fields = ["key", "version", "start", "end"]
        found = self._call(
            "search",
            self.address.collection,
            data=list(vectors),
            filter=where,
            limit=limit,
            output_fields=fields,
            search_params=self._params(limit),
        )
        return [[{**hit["entity"], "score": hit["distance"]} for hit in hits] for hits in found]

    def _params(self, limit: int) -> dict[str, Any]:
        params = {"HNSW": {"ef": max(EF, limit)}, "IVF_FLAT": {"nprobe": NPROBE}}
        return {"metric_type": "IP", "params": params.get(self._kind, {})}

    def upsert(self, rows: Sequence[Row]) -> None:
        """Write rows; one with the same key is replaced, so that writing again is harmless."""
        batch: list[Row] = []
        size = 0
        for row in rows:
            batch.append(row)
            size += 4 * len(row["vector"]) + 4 * len(row["record"]) + 500
            if len(batch) == BATCH or size > BATCH_BYTES:
                self._call("upsert", self.address.collection, batch)
                batch, size = [], 0
        if batch:
            self._call("upsert", self.address.collection, batch)

    def delete(self, pks: Sequence[str]) -> None:
        """Delete rows by their keys."""
        for start in range(0, len(pks), BATCH):
            self._call("delete", self.address.collection, ids=list(pks[start : start + BATCH]))

    # -- the server ------------------------------------------------------------------------------

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        if method in ("query", "search"):
            named["consistency_level"] = "Strong"
        with _translated(self.address):
            return self._again(
                lambda: getattr(self._client, method)(*arguments, **named, timeout=60)
            )

    def _again(self, call: Any) -> Any:  # noqa: ANN401
        """Call until it is answered, for as long as the server may be away."""
        until = time.monotonic() + self._patience
        wait = FIRST_WAIT
        while True:
            try:
                return call()
            except Exception as error:
                # pymilvus raises its own, gRPC's and, for Lite, the system's errors.
                if not _passes(error) or time.monotonic() + wait > until:
                    raise
                log.warning("%s: no answer (%s); trying again", self.address, _said(error))
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)


def _properties(model: Model) -> dict[str, str]:
    return {
        "searchkit.format": FORMAT,
        "searchkit.fingerprint": model.fingerprint,
        "searchkit.model": model.name,
        "searchkit.dimension": str(model.dimension),
        "searchkit.window": str(model.window),
    }


def _model(address: Address, described: Mapping[str, Any]) -> Model:
    known = dict(described.get("properties") or {})
    if known.get("searchkit.format") != FORMAT:
        raise IndexDamaged(
            f"{address}: a collection of format {known.get('searchkit.format')}, where searchkit "
            f"makes {FORMAT}; choose another name, or update searchkit"
        )
    numbers = (int(known[f"searchkit.{name}"]) for name in ("dimension", "window"))
    return Model(known["searchkit.fingerprint"], known["searchkit.model"], *numbers)


# Said by a server that is going, gone or just coming up
_AWAY = (
    "unavailable",
    "connect",
    "timeout",
    "deadline",
    "not ready",
    "not loaded",
    "not fully loaded",
    "no available",
    "recovering",
    "not healthy",
    "not found any",
    "node not",
    "channel",
    "abnormal",
    "initializing",
    "socket",
    "serviceable",
    "offline",
    "rate limit",
    "stopping",
)

_NOT_ALLOWED = ("unauthenticated", "auth check failure", "permission deny")


def _passes(error: Exception) -> bool:
    """Return whether an error may be over in a moment."""
    said = f"{type(error).__name__} {error}".lower()
    if "local milvus" in said or any(word in said for word in _NOT_ALLOWED):
        return False
    return any(word in said for word in _AWAY)


def _said(error: Exception) -> str:
    text = str(getattr(error, "message", "") or error) or type(error).__name__
    return " ".join(text.split())[:200]


@contextmanager
def _translated(address: Address) -> Iterator[None]:
    """Turn what pymilvus raises into our errors."""
    import grpc
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except (MilvusException, grpc.RpcError) as error:
        said = _said(error)
        if "local milvus" in said.lower():
            raise IndexBusy(
                f"{address}: can't be opened; another process has it open (Milvus Lite lets one "
                "in), or it is no file of Milvus Lite"
            ) from error
        if any(word in said.lower() for word in _NOT_ALLOWED):
            raise StorageFailed(f"{address}: {said}; put the token into {TOKEN}") from error
        raise StorageFailed(f"{address}: {said}; nothing acknowledged is lost") from error
