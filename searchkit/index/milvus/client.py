"""One collection of a Milvus server or file; only this file calls pymilvus.

A call is repeated while the server is away, and its errors are raised as searchkit's. Reads are
strongly consistent: every process finds what was acknowledged.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from searchkit.core.arrays import Float32
from searchkit.core.errors import IndexDamaged, IndexNotFound, MissingExtra
from searchkit.index.milvus.address import INDEX_TYPES, TOKEN_VARIABLE, Address
from searchkit.index.milvus.errors import is_transient, message_of, translated
from searchkit.index.milvus.rows import FIELDS, FORMAT, KEY_DIGITS, PK_DIGITS, Row
from searchkit.index.records import Model

log = logging.getLogger("searchkit")
_FORMATS = ("1", FORMAT)  # that can be read and written
MAX_ROWS = 16_384  # that Milvus returns for one query or search
PAGE_SIZE = 2_000  # rows that are fetched at once, about
WRITE_BATCH = 1_000  # rows that are written at once, at most
WRITE_BATCH_BYTES = 8_000_000
MIN_EF, NPROBE = 256, 64  # search depth of HNSW, at least, and of IVF_FLAT
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0  # seconds between tries
OPEN_TIMEOUT, CALL_TIMEOUT = 10.0, 300.0  # seconds that a server may be away: at first, and later
_ALL_ROWS = "part >= 0"


class Collection:
    """A collection whose rows have the fields of `rows.FIELDS` and a vector.

    Attributes:
        address: Where it is.
        version: Its format.
    """

    def __init__(self, address: Address, client: Any, timeout: float) -> None:  # noqa: ANN401 (pymilvus has no types)
        self.address = address
        self._client = client
        self._timeout = timeout
        self._index_type = address.index_type
        self.version = FORMAT

    @classmethod
    def connect(cls, address: Address, *, timeout: float = OPEN_TIMEOUT) -> Collection:
        """Connect to where a collection is, or will be created.

        Args:
            address: Of the collection.
            timeout: Seconds that a server may take until it answers.

        Raises:
            MissingExtra: if pymilvus isn't installed.
            StorageFailed: if no server answers there, or it refuses the token.
            IndexBusy: if another process has the Lite file open.
        """
        try:
            import pymilvus
        except ImportError as error:
            raise MissingExtra(
                f"{address} needs {error.name}; run: pip install 'searchkit[milvus]'"
            ) from None
        for name in ("pymilvus", "milvus_lite", "grpc._server"):
            logging.getLogger(name).setLevel(
                logging.CRITICAL
            )  # their messages are raised as errors
        collection = cls(address, None, timeout)
        token = os.environ.get(TOKEN_VARIABLE, "")
        with translated(address):
            collection._client = collection._repeated(
                lambda: pymilvus.MilvusClient(address.uri, token=token, timeout=timeout)
            )
        return collection

    def close(self) -> None:
        """Close the connection, and the file if it is one."""
        self._client.close()
        if self.address.is_lite:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(self.address.uri)

    # -- the collection --------------------------------------------------------------------------

    def exists(self) -> bool:
        """Whether the collection exists."""
        return bool(self._call("has_collection", self.address.collection))

    def create(self, model: Model) -> None:
        """Create the collection, for the vectors of a model."""
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        for name, size in FIELDS:
            if size:
                schema.add_field(name, DataType.VARCHAR, max_length=size, is_primary=name == "pk")
            else:
                schema.add_field(name, DataType.INT64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=model.dimension)
        indexes = MilvusClient.prepare_index_params()
        index_type = self.address.index_type
        indexes.add_index(
            "vector", index_type=index_type, metric_type="IP", params=INDEX_TYPES[index_type]
        )
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
        self._timeout = CALL_TIMEOUT

    def open(self) -> Model:
        """Load the collection for reading; return the model of its vectors.

        Raises:
            IndexNotFound: if it doesn't exist.
            IndexDamaged: if searchkit didn't create it, or a newer version did.
        """
        if not self.exists():
            raise IndexNotFound(f"{self.address}: no index here; make one with: searchkit ingest")
        described = self._call("describe_collection", self.address.collection)
        model = _model(self.address, described)
        self.version = described["properties"]["searchkit.format"]
        self._call("load_collection", self.address.collection)
        self._index_type = self._call("describe_index", self.address.collection, "vector")[
            "index_type"
        ]
        self._timeout = CALL_TIMEOUT
        return model

    def describe(self) -> dict[str, str]:
        """Return the server's version, and how vectors are searched."""
        version = self._call("get_server_version")
        exact = "exact" if self._index_type == "FLAT" else "approximate; verify measures it"
        return {
            "milvus": f"{version}, collection {self.address.collection}",
            "search": f"{self._index_type}, inner product, {exact}",
            "reads": "strongly consistent",
        }

    # -- rows ------------------------------------------------------------------------------------

    def count(self, where: str = _ALL_ROWS) -> int:
        """Return the number of rows that match a filter."""
        rows = self._call(
            "query", self.address.collection, filter=where, output_fields=["count(*)"]
        )
        return int(rows[0]["count(*)"])

    def rows(self, where: str, fields: Sequence[str]) -> list[Row]:
        """Return the rows that match a filter, MAX_ROWS at most."""
        rows = self._call(
            "query",
            self.address.collection,
            filter=where,
            output_fields=list(fields),
            limit=MAX_ROWS,
        )
        return [dict(row) for row in rows]

    def pages(self, where: str, fields: Sequence[str]) -> Iterator[list[Row]]:
        """Stream the rows that match a filter, all rows of an answer on one page.

        A page is a range of keys, which are hashes and so are spread evenly. Milvus returns
        MAX_ROWS rows at most and in no defined order, so a range with as many is halved.
        """
        pages = max(1, -(-self.count(where) // PAGE_SIZE))
        step = 16**KEY_DIGITS // pages
        starts = [n * step for n in range(pages)] + [16**KEY_DIGITS]
        width = 16 ** (PK_DIGITS - KEY_DIGITS)
        for start, stop in pairwise(starts):
            if rows := self._range(where, fields, start * width, stop * width):
                yield rows

    def _range(self, where: str, fields: Sequence[str], start: int, stop: int) -> list[Row]:
        upper = f' and pk < "{stop:0{PK_DIGITS}x}"' if stop < 16**PK_DIGITS else ' and pk < "g"'
        rows = self.rows(f'pk >= "{start:0{PK_DIGITS}x}"{upper} and {where}', fields)
        if len(rows) < MAX_ROWS:
            return rows
        middle = (start + stop) // 2
        return [
            *self._range(where, fields, start, middle),
            *self._range(where, fields, middle, stop),
        ]

    def of_keys(
        self, keys: Sequence[str], fields: Sequence[str], where: str = _ALL_ROWS
    ) -> list[Row]:
        """Return all rows of the answers with these keys."""
        return self.among("key", keys, fields, where)

    def among(
        self, field: str, values: Sequence[str], fields: Sequence[str], where: str = _ALL_ROWS
    ) -> list[Row]:
        """Return all rows in which a field has one of these values."""
        rows: list[Row] = []
        for start in range(0, len(values), PAGE_SIZE):
            page = f"{field} in {json.dumps(values[start : start + PAGE_SIZE])} and {where}"
            page_rows = self.rows(page, fields)
            if len(page_rows) == MAX_ROWS:
                page_rows = self._range(page, fields, 0, 16**PK_DIGITS)
            rows += page_rows
        return rows

    def rows_with_vectors(self, hashes: Sequence[str]) -> dict[str, str]:
        """Return the `pk` of a row for each of these passage hashes that has a vector, by hash."""
        pks: dict[str, str] = {}
        for start in range(0, len(hashes), PAGE_SIZE):
            missing = set(hashes[start : start + PAGE_SIZE])
            is_full = True
            while missing and is_full:  # a text of thousands of answers fills a result alone
                rows = self.rows(f"sha in {json.dumps(sorted(missing))}", ["pk", "sha"])
                pks |= {row["sha"]: row["pk"] for row in rows}
                missing -= pks.keys()
                is_full = len(rows) == MAX_ROWS
        return pks

    def search(self, vectors: Float32, limit: int, where: str) -> list[list[Row]]:
        """Return the rows nearest to each vector, best first, each with its `score`.

        Args:
            vectors: `(q, d)` float32, finite: Milvus Lite accepts NaN and returns nonsense.
            limit: Number of rows for each vector, MAX_ROWS at most.
            where: Filter over the rows.
        """
        fields = ["key", "version", "start", "end"]
        results = self._call(
            "search",
            self.address.collection,
            data=list(vectors),
            filter=where,
            limit=limit,
            output_fields=fields,
            search_params=self._params(limit),
        )
        return [[{**hit["entity"], "score": hit["distance"]} for hit in hits] for hits in results]

    def _params(self, limit: int) -> dict[str, Any]:
        params = {"HNSW": {"ef": max(MIN_EF, limit)}, "IVF_FLAT": {"nprobe": NPROBE}}
        return {"metric_type": "IP", "params": params.get(self._index_type, {})}

    def upsert(self, rows: Sequence[Row]) -> None:
        """Write rows, replacing those with the same `pk`; writing a row again is harmless."""
        batch: list[Row] = []
        size = 0
        for row in rows:
            batch.append(row)
            size += 4 * len(row["vector"]) + 4 * len(row["record"]) + 500
            if len(batch) == WRITE_BATCH or size > WRITE_BATCH_BYTES:
                self._call("upsert", self.address.collection, batch)
                batch, size = [], 0
        if batch:
            self._call("upsert", self.address.collection, batch)

    def delete(self, pks: Sequence[str]) -> None:
        """Delete rows by their `pk`."""
        for start in range(0, len(pks), WRITE_BATCH):
            self._call(
                "delete", self.address.collection, ids=list(pks[start : start + WRITE_BATCH])
            )

    # -- the server ------------------------------------------------------------------------------

    def _call(self, method: str, *arguments: object, **named: object) -> Any:  # noqa: ANN401 (as above)
        if method in ("query", "search"):
            named["consistency_level"] = "Strong"
        with translated(self.address):
            return self._repeated(
                lambda: getattr(self._client, method)(*arguments, **named, timeout=60)
            )

    def _repeated(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 (as above)
        """Return the result of a call, repeated while the server is away, until the timeout."""
        deadline = time.monotonic() + self._timeout
        wait = FIRST_WAIT
        while True:
            try:
                return call()
            except Exception as error:
                # pymilvus raises its own, gRPC's and, for Lite, the system's errors.
                if not is_transient(error) or time.monotonic() + wait > deadline:
                    raise
                log.warning("%s: no answer (%s); trying again", self.address, message_of(error))
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
    if known.get("searchkit.format") not in _FORMATS:
        raise IndexDamaged(
            f"{address}: a collection of format {known.get('searchkit.format')}, where searchkit "
            f"reads up to {FORMAT}; choose another name, or update searchkit"
        )
    numbers = (int(known[f"searchkit.{name}"]) for name in ("dimension", "window"))
    return Model(known["searchkit.fingerprint"], known["searchkit.model"], *numbers)
