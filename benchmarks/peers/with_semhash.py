"""Remove near-duplicates with semhash, which keeps no index."""

from job import Row, Search, run


def deduplicate(rows: list[Row], model: str, store: str) -> None:
    """Remove the near-duplicates."""
    from semhash import SemHash
    from sentence_transformers import SentenceTransformer

    texts = [row["answer"] for row in rows]
    found = SemHash.from_records(texts, model=SentenceTransformer(model)).self_deduplicate()
    print(len(texts), len(found.selected))


def opened(model: str, store: str) -> Search:
    """Say that there is nothing to open."""
    raise NotImplementedError


run(deduplicate, opened)
