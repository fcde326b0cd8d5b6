"""The timestamps of acknowledged writes, which are kept in a collection's properties.

A strongly consistent read waits until Milvus has applied all that was written up to now, for a tick
of its clock (some 0.2 s). It is enough to wait for what was acknowledged: after each write, a
writer takes a timestamp of the server and puts it into the properties, and only then the write is
acknowledged. A read asks for the latest of them.

Each writer has a property of its own, since two of them could set the same one in the wrong order.
The properties can't be deleted in Milvus 2.3, so that writers take over those that are old.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

PREFIX = "searchkit.acknowledged."
SLOTS = 32  # properties for writers
STALE_MILLISECONDS = 600_000  # after this time another writer may take over a property
_LOGICAL_BITS = 18  # of a timestamp; the others are milliseconds


def latest(properties: Mapping[str, str]) -> int:
    """Return the timestamp of the last acknowledged write, 0 if there is none."""
    return max((timestamp for timestamp, _ in _slots(properties).values()), default=0)


def choose_slot(properties: Mapping[str, str], writer: str, now: int) -> str:
    """Return the name of the property for a writer's next timestamp.

    Args:
        properties: The collection's properties.
        writer: A name that no other writer has.
        now: A new timestamp.
    """
    slots = _slots(properties)
    own = next((name for name, (_, owner) in slots.items() if owner == writer), None)
    if own is not None:
        return own
    free = [
        name
        for name in (f"{PREFIX}{number}" for number in range(SLOTS))
        if (now - slots.get(name, (0, ""))[0]) >> _LOGICAL_BITS > STALE_MILLISECONDS
    ]
    # By chance, since another writer may choose at the same time.
    return random.choice(free or [f"{PREFIX}{writer}"])


def slot_value(timestamp: int, writer: str) -> str:
    """Return the value of a writer's property."""
    return f"{timestamp} {writer}"


def _slots(properties: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    """Return the timestamp and the writer of each property, by its name."""
    slots = {}
    for name, value in properties.items():
        timestamp, _, writer = value.partition(" ")
        if name.startswith(PREFIX) and timestamp.isdecimal():
            slots[name] = int(timestamp), writer
    return slots
