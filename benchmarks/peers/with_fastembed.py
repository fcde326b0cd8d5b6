"""fastembed, and FAISS; MODEL has `model.onnx`, with token vectors, of which it takes the mean."""

import numpy as np
from vectors import Encode, run_with_faiss


def load(model: str) -> Encode:
    """Return the encoder."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    TextEmbedding.add_custom_model(
        model="bundled",
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf="bundled"),
        dim=384,
        model_file="model.onnx",
    )
    encoder = TextEmbedding("bundled", specific_model_path=model)
    return lambda texts: np.array(list(encoder.embed(list(texts))), np.float32)


run_with_faiss(load)
