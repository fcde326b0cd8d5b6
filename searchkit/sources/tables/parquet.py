"""Parquet files, read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Any, BinaryIO
from zoneinfo import ZoneInfo

from searchkit.core.errors import BadInput, first_line
from searchkit.sources.columns import distinct_names
from searchkit.sources.files import (
    MAX_DOCUMENT_BYTES,
    MAX_STREAM_BYTES,
    Allowance,
    file_size,
)
from searchkit.sources.tables.values import ROW_BYTES
from searchkit.sources.tables.workbooks.cells import as_text

if TYPE_CHECKING:
    from pyarrow import Array, DataType, Scalar
    from pyarrow.parquet import ColumnChunkMetaData, FileMetaData, ParquetFile

BATCH_ROWS = 4096
BATCH_BYTES = 64 << 20  # which a batch may take if each of its texts is as long as the longest
VALUE_BYTES = 64  # that a nested value takes at least
_ADVICE = "write it as CSV if you trust it"
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # in a second


def read_parquet(file: BinaryIO, source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row from 1, values by column) of a Parquet file; times come as text.

    Raises:
        BadInput: if the file is damaged or unpacks to too much.
    """
    from pyarrow import ArrowException, parquet

    # What pyarrow raises for damaged files has no common base.
    damage_errors = (ArrowException, OSError, ValueError, ArithmeticError, LookupError, MemoryError)
    number = 0
    size = file_size(file)
    try:
        table = parquet.ParquetFile(file, page_checksum_verification=True)
        names = distinct_names(table.schema_arrow.names)
        _check_pages(table.metadata, Allowance(source, _ADVICE, size, MAX_STREAM_BYTES))
        allowance = Allowance(source, _ADVICE, size, MAX_STREAM_BYTES, MAX_DOCUMENT_BYTES)
        for batch in table.iter_batches(_batch_rows(file, table, allowance)):
            allowance.spend(batch.nbytes + ROW_BYTES * batch.num_rows)
            for values in zip(*map(_values, batch.columns), strict=True):
                number += 1
                yield number, dict(zip(names, values, strict=True))
    except damage_errors as error:
        reason = first_line(error)
        raise BadInput.at(source, number + 1, f"not a complete Parquet file ({reason})") from None


def count_parquet_rows(file: BinaryIO, source: str) -> int:
    """Return the number of rows in the metadata of a Parquet file.

    Raises:
        BadInput: if the file is damaged.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        return int(parquet.read_metadata(file).num_rows)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"{source}: not a complete Parquet file ({first_line(error)})") from None


def _check_pages(metadata: FileMetaData, allowance: Allowance) -> None:
    """Count what all pages unpack to; a million equal values take but a few bytes of a page."""
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        allowance.spend(max(group.total_byte_size, group.num_rows * metadata.num_columns, 0))


def _batch_rows(file: BinaryIO, table: ParquetFile, allowance: Allowance) -> int:
    """Return how many rows to read at once, so that a batch of them fits in memory.

    A page holds each of its different texts once, and the batch one for each row.
    """
    groups = [table.metadata.row_group(group) for group in range(table.num_row_groups)]
    columns = [table.schema.column(number) for number in range(table.metadata.num_columns)]
    is_nested = any(column.max_repetition_level for column in columns)
    rows = [BATCH_ROWS]
    if is_nested:  # a row may be of any size
        table.scan_contents()
    for number, group in enumerate(groups):
        if is_nested or group.total_byte_size * min(BATCH_ROWS, group.num_rows) > BATCH_BYTES:
            if not is_nested:
                next(table.iter_batches(1, row_groups=[number]), None)
            # Damaged metadata ends the process here (pyarrow 26), if nothing has been read before.
            chunks = [group.column(column) for column in range(group.num_columns)]
            longest = _longest_row(file, chunks, number, group.num_rows, allowance)
            rows.append(BATCH_BYTES // max(longest, 1))
    return max(1, min(rows))


def _longest_row(
    file: BinaryIO,
    chunks: Sequence[ColumnChunkMetaData],
    group: int,
    num_rows: int,
    allowance: Allowance,
) -> int:
    """Return the size of a row whose texts are as long as the longest of its row group."""
    average = sum(int(chunk.total_uncompressed_size) for chunk in chunks) // max(num_rows, 1)
    longest = 0
    for chunk in chunks:
        if chunk.num_values > num_rows:  # nested: all of its values may be in one row
            replace(allowance, unpacked_bytes=0).spend(VALUE_BYTES * chunk.num_values)
    for chunk, length in zip(chunks, _longest_texts(file, chunks, group), strict=True):
        if "DELTA_BYTE_ARRAY" in chunk.encodings:  # each text may begin as the one before
            length = chunk.total_uncompressed_size
        if chunk.num_values > num_rows:
            replace(allowance, unpacked_bytes=0).spend(length * chunk.num_values)
        longest += length
    return max(longest, average)


def _longest_texts(file: BinaryIO, chunks: Sequence[ColumnChunkMetaData], group: int) -> list[int]:
    """Return the length of the longest text in each column of a row group, as far as is seen.

    A column that is nested has several; they are in the order of the file's columns.
    """
    from pyarrow import parquet

    schema = parquet.ParquetFile(file).schema
    # Arrow can't read what is written as differences into a dictionary.
    paths = [
        schema.column(number).path
        for number, chunk in enumerate(chunks)
        if "DELTA" not in str(chunk.encodings)
    ]
    table = parquet.ParquetFile(file, read_dictionary=paths)
    batch = next(table.iter_batches(1, row_groups=[group]), None)
    if batch is None:
        return [0] * len(chunks)
    return [length for column in batch.columns for length in _leaf_lengths(column)]


def _leaf_lengths(array: Array) -> Iterator[int]:
    """Yield the length of the longest text in each column that an array is made of."""
    from pyarrow import compute, types

    type = array.type
    if hasattr(array, "storage"):  # of an extension type
        yield from _leaf_lengths(array.storage)
    elif types.is_dictionary(type):
        yield from _leaf_lengths(array.dictionary)
    elif types.is_struct(type):
        for number in range(type.num_fields):
            yield from _leaf_lengths(array.field(number))
    elif types.is_map(type):
        yield from _leaf_lengths(array.keys)
        yield from _leaf_lengths(array.items)
    elif type.num_fields:  # any kind of list
        yield from _leaf_lengths(array.values)
    elif types.is_fixed_size_binary(type):
        yield int(type.byte_width)
    elif types.is_string(type) or types.is_binary(type):
        yield compute.max(compute.binary_length(array)).as_py() or 0
    else:
        yield 0


def _values(column: Array) -> list[Any]:
    """Return the values of a column: times as text, what Python can't hold as well as it can."""
    if not _holds_times(column.type):
        try:
            return list(column.to_pylist())
        except (ValueError, OverflowError):  # a text that isn't UTF-8, or fields of the same name
            pass
    return [_value(scalar) for scalar in column]


def _holds_times(type: DataType) -> bool:
    from pyarrow import types

    if types.is_dictionary(type):
        return _holds_times(type.value_type)
    if type.num_fields:
        return any(_holds_times(type.field(n).type) for n in range(type.num_fields))
    return bool(types.is_temporal(type))


def _value(scalar: Scalar) -> Any:  # noqa: ANN401 - as pyarrow's `as_py`
    """Return a value as `as_py` does, but a time as text, and a text that isn't UTF-8 as bytes."""
    from pyarrow import types

    type = scalar.type
    if not scalar.is_valid:
        return None
    if types.is_dictionary(type):
        return _value(scalar.value)
    if types.is_struct(type):
        fields = [(type.field(n).name, _value(scalar[n])) for n in range(type.num_fields)]
        values = dict(fields)
        return values if len(values) == len(fields) else [list(field) for field in fields]
    if types.is_map(type):
        return [list(_value(entry).values()) for entry in scalar.values]
    if type.num_fields == 1 and hasattr(scalar, "values"):  # any kind of list
        return [_value(item) for item in scalar.values]
    if types.is_temporal(type) and hasattr(scalar, "value"):
        return _time(scalar)
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.as_buffer().to_pybytes()


def _time(scalar: Scalar) -> str:
    """Return a time as text; one that Python can't hold as the number that stands in the file."""
    from pyarrow import types

    type, number = scalar.type, scalar.value
    try:
        if types.is_date32(type):
            return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
        per_second = _UNITS["ms" if types.is_date64(type) else type.unit]
        seconds, rest = divmod(number, per_second)
        nanoseconds = rest * (10**9 // per_second)
        fraction = f".{nanoseconds:09d}" if nanoseconds % 1000 else f".{nanoseconds // 1000:06d}"
        fraction = fraction if nanoseconds else ""
        span = timedelta(seconds=seconds)
        if types.is_duration(type):
            return f"{span}{fraction}"
        if types.is_time(type):
            return f"{_clock(span).isoformat()}{fraction}"
        moment = _moment(span, getattr(type, "tz", None))
    except OverflowError:
        return str(number)
    shown = moment.isoformat(sep=" ")
    return f"{shown[:19]}{fraction}{shown[19:]}" if fraction else as_text(moment) or ""


def _clock(span: timedelta) -> time_of_day:
    if span.days:
        raise OverflowError("not within a day")
    return (datetime(1970, 1, 1) + span).time()


def _moment(span: timedelta, zone: str | None) -> datetime:
    """Return the time that is `span` after 1970, in its zone, or in UTC if that is unknown."""
    if zone is None:
        return datetime(1970, 1, 1) + span
    moment = datetime(1970, 1, 1, tzinfo=UTC) + span
    try:
        if zone.startswith(("+", "-")):
            return moment.astimezone(datetime.fromisoformat(f"2000-01-01T00:00{zone}").tzinfo)
        return moment.astimezone(ZoneInfo(zone))
    except (LookupError, ValueError, OSError):  # whatever a zone's name may be
        return moment
