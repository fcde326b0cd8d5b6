"""Damage of files: a few bytes, or many, changed at random."""

from __future__ import annotations

import re
from random import Random

XML_VALUES = [
    b"0", b"-1", b"", b"1048576", b"1048577", b"99999999999999999999", b"1.5", b"1e308", b"-1e300",
    b"NaN",
    b"A", b"XFD1048576", b"\xc3\xa9", b"s", b"str", b"e", b"d", b"b", b"inlineStr", b"n", b"&#0;",
    b"&lt;", b"&a;", b"2", b"9" * 400, b"x" * 40_000, b"../x", b"/xl/workbook.xml", b"1900-01-00",
]  # fmt: skip


def damaged(random: Random, data: bytes, tokens: list[bytes], most: int = 6) -> bytes:
    """Return bytes with a few things changed: bits, numbers, tokens, parts moved or left out."""
    out = bytearray(data)
    for _ in range(random.randint(1, most)):
        at = random.randrange(len(out) + 1)
        size = random.choice([1, 1, 2, 4, 8, 64, 1000])
        token = random.choice(tokens)
        match random.randrange(8):
            case 0 if at < len(out):
                out[at] ^= 1 << random.randrange(8)
            case 1:
                del out[at : at + size]
            case 2:
                out[at:at] = random.randbytes(size)
            case 3:
                out[at:at] = token * random.choice([1, 1, 1, 2, 30])
            case 4:
                out[at : at + size] = random.choice([b"\0", b"\xff", b"\x7f", b"\x80"]) * size
            case 5:
                source = random.randrange(len(out) + 1)
                out[at:at] = out[source : source + size]
            case 6:
                out[at : at + len(token)] = token
            case _ if random.random() < 0.3:
                del out[at:]
    return bytes(out)


def damaged_xml(random: Random, data: bytes) -> bytes:
    """Return XML that is still well-formed, mostly, with other values, or without some tags."""
    for _ in range(random.randint(1, 4)):
        pattern = random.choice([rb'(?<=")[^"<>]*(?=")', rb"(?<=>)[^<>]*(?=<)", rb"<[^<>]*/>"])
        places = list(re.finditer(pattern, data))
        if not places:
            continue
        place = random.choice(places)
        by = b"" if pattern.endswith(b"/>") else random.choice(XML_VALUES)
        if random.random() < 0.1:
            by = place[0][:3_000] * random.choice([2, 1000])
        data = data[: place.start()] + by + data[place.end() :]
    return data
