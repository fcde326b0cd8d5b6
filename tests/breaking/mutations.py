"""Damage of files: a few bytes, or many, changed at random."""

from __future__ import annotations

from random import Random


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
