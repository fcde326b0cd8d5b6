"""The cosine of every query and every text, in single precision: TEXTS MODEL QUERIES OUT."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from with_sentence_transformers import load

texts, model, queries, out = sys.argv[1:]
with Path(texts).open(encoding="utf-8", newline="") as file:
    answers = [row["answer"] for row in csv.DictReader(file)]
encode = load(model)
np.save(out, encode(json.loads(Path(queries).read_text())) @ encode(answers).T)
