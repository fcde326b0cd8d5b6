"""Groups of the answers to one question, made to be graded together.

Begin in `tree.py`, the nested groups; `differences.py` finds what sets apart answers that are
otherwise alike, in the claims that `claims.py` reads.
"""
