"""sentence-transformers with its defaults, and FAISS."""

from vectors import Encode, run_with_faiss


def load(model: str, **options: object) -> Encode:
    """Return the encoder."""
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(model, device="cpu", **options)
    return lambda texts: encoder.encode(list(texts), normalize_embeddings=True)


if __name__ == "__main__":
    run_with_faiss(load)
