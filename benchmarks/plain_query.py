"""The query script that belongs to plain_ingest.py. OUT TEXT MODEL"""

import sqlite3
import sys

import faiss
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(sys.argv[3])
index = faiss.read_index(sys.argv[1] + ".faiss")
db = sqlite3.connect(sys.argv[1] + ".db")
scores, keys = index.search(model.encode([sys.argv[2]], normalize_embeddings=True), 5)
for score, key in zip(scores[0], keys[0], strict=True):
    print(score, *db.execute("SELECT id, text FROM answers WHERE key = ?", [int(key)]).fetchone())
