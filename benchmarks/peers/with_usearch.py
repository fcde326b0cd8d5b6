"""sentence-transformers with its defaults, and usearch."""

from vectors import run_with_usearch
from with_sentence_transformers import load

run_with_usearch(load)
