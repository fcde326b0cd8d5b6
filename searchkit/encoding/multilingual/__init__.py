"""The multilingual model: Google's Universal Sentence Encoder, from a package of 32 MB.

Begin in `encoder.py`; `network.py` builds the network, `tokenizer.py` reads the tokenizer.
"""
