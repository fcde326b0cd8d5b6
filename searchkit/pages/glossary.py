"""What the terms on pages mean, in a few sentences each; `m.explain("term")` shows one."""

from __future__ import annotations

GLOSSARY = {
    "strength": (
        "How strong the evidence is, in four steps by the odds: very strong (beyond 1 in 10,000), "
        "strong (beyond 1 in 1,000), moderate (beyond 1 in 100) and weak. “1 in 8,300” means: if "
        "everybody had written alone, one pair this much alike would come up in 8,300 questions "
        "like this one. It isn't the chance that the student is innocent. The bar is a notch "
        "longer for each factor of 100, and still tells which is rarer where the odds end."
    ),
    "odds": (
        "Even if nobody copies, some pairs are alike, since all answer the same question. The odds "
        "say how many at least as much alike are to be expected for that reason alone: “expected "
        "0.001” is one pair in 1,000 questions like this one. It isn't the chance that the student "
        "is innocent: that depends on all else you know, too."
    ),
    "chance can't be judged": (
        "The odds are measured on pairs of the same question that have nothing to do with each "
        "other, and here there are too few of them. Such findings are ordered by how much both "
        "answers share, and only reading them tells more."
    ),
    "q": (
        "How many of the findings in the list, down to this one, are to be expected by chance, as "
        "a share. “q 0.02” means: of all findings down to this one, 2 in 100."
    ),
    "kind of match": (
        "How much of the wording two answers share, from identical to hardly any. It says what "
        "they look like, and neither how sure it is nor who copied."
    ),
    "the same words": (
        "Passages that stand in both answers word for word, but for case and punctuation. The "
        "share is that of the shorter answer's words."
    ),
    "in other words": (
        "A sentence that says the same as one of the other answer, with other words. It is found "
        "by meaning, so read whether it really does."
    ),
    "similarity": (
        "How near two texts are in meaning: 1 is the same, 0 has nothing to do with each other. "
        "Two good answers to one question are near anyway, so it proves nothing by itself."
    ),
    "spread": (
        "How far apart the answers of a cluster are: 0 where all say the same. The smaller it is, "
        "the safer is one mark for all of them."
    ),
    "group of students": (
        "Students whose answers were found together in two or more questions, with each other or "
        "with one source. Being found together again and again is much rarer than once."
    ),
    "common phrase": (
        "A tenth of the students or more wrote just these words. So they say little: they may come "
        "from the lecture, or be the obvious way to put it."
    ),
    "known source": (
        "A text that students may have taken from, such as a page, a chapter or last year's "
        "solution. It was given to searchkit; nothing is looked up on the internet."
    ),
}
