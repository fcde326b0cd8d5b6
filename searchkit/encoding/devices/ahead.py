"""Computing the items of an iterator ahead of their use, in a thread."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TypeVar

Item = TypeVar("Item")


def run_ahead(items: Iterator[Item], depth: int) -> Generator[Item]:
    """Yield the items of an iterator, of which a thread computes up to `depth` in advance.

    An exception of the iterator is raised here, after the items before it. When this generator is
    closed, which includes an exception in the code that uses it inside `contextlib.closing`, the
    thread ends after the item that it is at, and closes the iterator.

    Args:
        items: Used by the thread only.
        depth: Number of items that may be ready and wait.
    """
    free, is_closed = Semaphore(depth), Event()
    ready: SimpleQueue[tuple[Item] | BaseException | None] = SimpleQueue()
    thread = Thread(
        target=_produce, args=(items, free, is_closed, ready), name="run_ahead", daemon=True
    )
    thread.start()
    try:
        while (result := ready.get()) is not None:
            if isinstance(result, BaseException):
                raise result
            free.release()
            yield result[0]
    finally:
        is_closed.set()
        free.release()
        thread.join()


def _produce(
    items: Iterator[Item],
    free: Semaphore,
    is_closed: Event,
    ready: SimpleQueue[tuple[Item] | BaseException | None],
) -> None:
    """Put each item into the queue as a tuple of one, then an exception, or None at the end."""
    end: BaseException | None = None
    try:
        while free.acquire() and not is_closed.is_set():
            try:
                item = next(items)
            except StopIteration:
                break
            ready.put((item,))
            del item  # it may hold a device's memory
    except BaseException as error:  # a panic of the tokenizer is no Exception
        end = error
    finally:
        if isinstance(items, Generator):
            items.close()
        ready.put(end)
