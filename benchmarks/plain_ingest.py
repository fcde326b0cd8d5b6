"""The script that one would write without searchkit: csv, encode, FAISS, SQLite. CSV OUT"""

import csv
import sqlite3
import sys

import faiss
from sentence_transformers import SentenceTransformer

rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
model = SentenceTransformer(sys.argv[3])
vectors = model.encode([row["answer"] for row in rows], normalize_embeddings=True)
index = faiss.IndexFlatIP(vectors.shape[1])
index.add(vectors)
faiss.write_index(index, sys.argv[2] + ".faiss")
db = sqlite3.connect(sys.argv[2] + ".db")
db.execute("CREATE TABLE answers (key INTEGER PRIMARY KEY, id TEXT, question TEXT, text TEXT)")
db.executemany(
    "INSERT INTO answers VALUES (?, ?, ?, ?)",
    ((n, row["id"], row["question"], row["answer"]) for n, row in enumerate(rows)),
)
db.commit()
