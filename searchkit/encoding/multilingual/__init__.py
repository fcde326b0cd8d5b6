"""The multilingual model: Google's Universal Sentence Encoder, from a package of 32 MB.

Begin in `package.py`, which finds and checks the package's files; `network.py` builds its network.
"""
