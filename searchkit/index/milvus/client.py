"""One collection of a Milvus server or file; only this file calls pymilvus.

A call is repeated while the server is away, and its errors are raised as searchkit's. Every process
finds what was acknowledged (`acknowledged.py`).
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from searchkit.core.arrays import Float32
from searchkit.core.errors import IndexDamaged, IndexNotFound, MissingExtra, StorageFailed
from searchkit.index.milvus import acknowledged
from searchkit.index.milvus.address import INDEX_TYPES, TOKEN_VARIABLE, Address
from searchkit.index.milvus.errors import is_transient, message_of, translated
from searchkit.index.milvus.rows import FIELDS, FORMAT, KEY_DIGITS, PK_DIGITS, Row
from searchkit.index.records import Model

log = logging.getLogger("searchkit")
# Of a new collection on a server: its writers record what they acknowledge. All reads of those of
# other formats are strongly consistent, which costs nothing in Milvus Lite.
RECORDED_FORMAT = "3"
_FORMATS = ("1", FORMAT, RECORDED_FORMAT)  # that can be read and written
_RECALL = "searchkit.recall"  # the property with what `verify` measured last
_EF = "searchkit.ef"  # the property with the search depth that this recall needs
MAX_ROWS = 16_384  # that Milvus returns for one query or search
PAGE_SIZE = 2_000  # rows that are fetched at once, about
KEYS_BATCH = 4_096  # values that rows are looked up by at once; a batch of `ingest` has as many
WRITE_BATCH = 4_096  # rows that are written at once, at most; short answers come as many
WRITE_BATCH_BYTES = 16_000_000
# Search depth of HNSW, at least, and of IVF_FLAT; `verify` measures whether more is needed.
MIN_EF, MAX_EF, NPROBE = 1024, 8192, 64
# Milvus searches rows that it hasn't sealed by a coarse index of its own, if they are more than
# some 5,000: 16 of 128 cells, whatever the search depth. Fewer rows are compared one by one.
SEAL_ROWS = 5_000
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
        self._writer = uuid.uuid4().hex
        self._acknowledged = 0  # the timestamp that the next read must have reached
        self._written = 0  # rows since the last `seal`
        self._ef = MIN_EF

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
        if not self.address.is_lite and self._new_timestamp():
            self.version = RECORDED_FORMAT
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
            properties=_properties(model, self.version),
        )
        self._timeout = CALL_TIMEOUT
        self._acknowledge()

    def open(self, *, write: bool = False) -> Model:
        """Load the collection; return the model of its vectors.

        Args:
            write: Whether it is for a writer, who sees what killed writers left unacknowledged.

        Raises:
            IndexNotFound: if it doesn't exist.
            IndexDamaged: if searchkit didn't create it, or a newer version did.
        """
        if not self.exists():
            raise IndexNotFound(f"{self.address}: no index here; make one with: searchkit ingest")
        described = self._call("describe_collection", self.address.collection)
        model = _model(self.address, described)
        self.version = described["properties"]["searchkit.format"]
        self._ef = int(described["properties"].get(_EF, MIN_EF))
        self._call("load_collection", self.address.collection)
        self._index_type = self._call("describe_index", self.address.collection, "vector")[
            "index_type"
        ]
        self._timeout = CALL_TIMEOUT
        if write and self.version == RECORDED_FORMAT:
            self._acknowledged = self._new_timestamp()
        return model

    def describe(self) -> dict[str, str]:
        """Return the server's version, and how vectors are searched."""
        version = self._call("get_server_version")
        described = {"milvus": f"{version}, collection {self.address.collection}"}
        recall = "exact"
        if self._index_type != "FLAT":
            measured = self._described_properties().get(_RECALL)
            recall = f"approximate; {measured or 'its recall is measured by verify'}"
        described["search"] = f"{self._index_type}, inner product, {recall}"
        if self.is_approximate and (missing := self.count_unindexed()):
            described["index"] = f"{missing:,} rows are not in it yet"
        return described | {"reads": "see every acknowledged write"}

    # -- the vector index ------------------------------------------------------------------------

    @property
    def is_approximate(self) -> bool:
        """Whether a search may miss rows."""
        return not self.address.is_lite and self._index_type != "FLAT"

    def seal(self) -> None:
        """Let Milvus index the rows that were written lately, if there are many.

        It does so in the background. Until then a search misses more of these rows.
        """
        if not self.is_approximate or not self._written:
            return
        self._timeout = OPEN_TIMEOUT  # a server that is away now is not waited for
        try:
            if self._written >= SEAL_ROWS or self.count_unindexed() >= SEAL_ROWS:
                self._call("flush", self.address.collection)
                log.info(
                    "%s: Milvus indexes the new rows in the background; until then a search "
                    "misses more of them (searchkit status tells)",
                    self.address,
                )
        except StorageFailed as error:
            log.warning("%s; the rows are written, and Milvus indexes them later", error)
        self._written = 0

    def count_unindexed(self) -> int:
        """Return how many rows the vector index doesn't have yet, about."""
        segments = self._call("list_loaded_segments", self.address.collection)
        pending = self._call("describe_index", self.address.collection, "vector")
        sealed = sum(int(segment.num_rows) for segment in segments)
        return max(0, self.count() - sealed, int(pending.get("pending_index_rows", 0)))

    def choose_depth(self, measure: Callable[[], float], wanted: float) -> float:
        """Double the search depth of HNSW until the recall is as wanted; return the recall.

        Rows that are not indexed yet are missed at any depth, so that it stays as it is then.
        """
        self._ef = MIN_EF
        recall = measure()
        if self._index_type == "HNSW" and recall < wanted and not self.count_unindexed():
            while recall < wanted and self._ef < MAX_EF:
                self._ef *= 2
                recall = measure()
        return recall

    def record_recall(self, recall: str) -> None:
        """Keep what was measured about the search, for `describe`, and its depth."""
        if self._index_type != "FLAT":
            self._alter_properties({_RECALL: recall, _EF: str(self._ef)})

    # -- what reads see --------------------------------------------------------------------------

    def _acknowledge(self) -> None:
        """Let the reads of all processes see what has been written."""
        if self.version != RECORDED_FORMAT:
            return
        timestamp = self._new_timestamp()
        if not timestamp:
            raise StorageFailed(f"{self.address}: the server gives no timestamps; update Milvus")
        slot = acknowledged.choose_slot(self._described_properties(), self._writer, timestamp)
        self._alter_properties({slot: acknowledged.slot_value(timestamp, self._writer)})
        self._acknowledged = timestamp

    def _new_timestamp(self) -> int:
        """Return a timestamp after all that was written; 0 if the server gives none."""
        with translated(self.address):
            return int(
                self._repeated(
                    lambda: self._client._get_connection().alloc_timestamp(timeout=60),
                )
            )

    def _described_properties(self) -> dict[str, str]:
        described = self._call("describe_collection", self.address.collection)
        return dict(described.get("properties") or {})

    def _alter_properties(self, properties: dict[str, str]) -> None:
        self._call("alter_collection_properties", self.address.collection, properties)

    def _consistency(self) -> dict[str, Any]:
        """Return the arguments with which a read sees all that was acknowledged."""
        if self.version != RECORDED_FORMAT:
            return {"consistency_level": "Strong"}
        recorded = acknowledged.latest(self._described_properties())
        self._acknowledged = max(self._acknowledged, recorded)
        return {
            "consistency_level": "Customized",
            "guarantee_timestamp": self._acknowledged,
        }

    # -- rows ------------------------------------------------------------------------------------

    def count(self, where: str = _ALL_ROWS) -> int:
        """Return the number of rows that match a filter."""
        rows = self._read("query", filter=where, output_fields=["count(*)"])
        return int(rows[0]["count(*)"])

    def rows(self, where: str, fields: Sequence[str]) -> list[Row]:
        """Return the rows that match a filter, MAX_ROWS at most."""
        rows = self._read("query", filter=where, output_fields=list(fields), limit=MAX_ROWS)
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
        for start in range(0, len(values), KEYS_BATCH):
            page = f"{field} in {json.dumps(values[start : start + KEYS_BATCH])} and {where}"
            page_rows = self.rows(page, fields)
            if len(page_rows) == MAX_ROWS:
                page_rows = self._range(page, fields, 0, 16**PK_DIGITS)
            rows += page_rows
        return rows

    def rows_with_vectors(self, hashes: Sequence[str]) -> dict[str, str]:
        """Return the `pk` of a row for each of these passage hashes that has a vector, by hash."""
        pks: dict[str, str] = {}
        for start in range(0, len(hashes), KEYS_BATCH):
            missing = set(hashes[start : start + KEYS_BATCH])
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
        results = self._read(
            "search",
            data=list(vectors),
            filter=where,
            limit=limit,
            output_fields=fields,
            search_params=self._params(limit),
        )
        return [[{**hit["entity"], "score": hit["distance"]} for hit in hits] for hits in results]

    def _params(self, limit: int) -> dict[str, Any]:
        params = {"HNSW": {"ef": max(self._ef, limit)}, "IVF_FLAT": {"nprobe": NPROBE}}
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
        self._written += len(rows)
        if rows:
            self._acknowledge()

    def delete(self, pks: Sequence[str]) -> None:
        """Delete rows by their `pk`."""
        for start in range(0, len(pks), WRITE_BATCH):
            self._call(
                "delete", self.address.collection, ids=list(pks[start : start + WRITE_BATCH])
            )
        if pks:
            self._acknowledge()

    # -- the server ------------------------------------------------------------------------------

    def _read(self, method: str, **named: object) -> Any:  # noqa: ANN401 (as above)
        return self._call(method, self.address.collection, **named, **self._consistency())

    def _call(self, method: str, *arguments: object, **named: object) -> Any:  # noqa: ANN401 (as above)
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


def _properties(model: Model, version: str) -> dict[str, str]:
    return {
        "searchkit.format": version,
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
            f"reads up to {RECORDED_FORMAT}; choose another name, or update searchkit"
        )
    numbers = (int(known[f"searchkit.{name}"]) for name in ("dimension", "window"))
    return Model(known["searchkit.fingerprint"], known["searchkit.model"], *numbers)
