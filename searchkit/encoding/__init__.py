"""Models that embed texts.

Begin in `loading.py`; `encoder.py` says what every model promises.
"""
