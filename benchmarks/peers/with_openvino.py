"""sentence-transformers with its backend OpenVINO, and FAISS; MODEL was saved by that backend."""

from functools import partial

from vectors import run_with_faiss
from with_sentence_transformers import load

run_with_faiss(partial(load, backend="openvino"))
