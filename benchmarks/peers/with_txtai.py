"""Index and search with txtai."""

from job import Row, Search, run


def index(rows: list[Row], model: str, store: str) -> None:
    """Write its index, with the texts."""
    from txtai import Embeddings

    embeddings = Embeddings(path=model, content=True)
    answers = ((r["id"], {"text": r["answer"], "question": r["question"]}) for r in rows)
    embeddings.index(answers)
    embeddings.save(store)


def opened(model: str, store: str) -> Search:
    """Open it."""
    from txtai import Embeddings

    embeddings = Embeddings()
    embeddings.load(store)
    return lambda query, k: [hit["id"] for hit in embeddings.search(query, k)]


run(index, opened)
