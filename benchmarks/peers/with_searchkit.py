"""Search with searchkit; its index and its cold query are commands."""

from pathlib import Path

from job import Search, run


def opened(model: str, store: str) -> Search:
    """Open the index."""
    from searchkit import open_index

    index = open_index(Path(store))
    return lambda query, k: [hit.answer.id for hit in index.search([query], k)[0]]


run(None, opened)
