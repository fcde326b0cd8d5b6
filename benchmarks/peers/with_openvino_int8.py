"""The same with the 8-bit network that sentence-transformers made."""

from functools import partial

from vectors import run_with_faiss
from with_sentence_transformers import load

NETWORK = {"file_name": "openvino/openvino_model_qint8_quantized.xml"}
run_with_faiss(partial(load, backend="openvino", model_kwargs=NETWORK))
