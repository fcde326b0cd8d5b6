"""Answers with names of people in every field, and the names that may be seen nowhere."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

from helpers.answers import honest
from searchkit import Answer

# In small letters, as they are looked for. "Will May" has a name of everyday words.
CANARIES = (
    "zebulon", "quarrington", "zq7744", "zebq", "ottilie", "müllerhuber", "4471199", "kowalczyk",
    "jadwiga", "山田", "太郎", "kranich", "will may", "may's",
)  # fmt: skip
PEOPLE = {
    3: ("Zebulon Quarrington", {"First name": "Zebulon", "Nachname": "Quarrington",
                                "E-Mail-Adresse": "zebq@uni.example", "Benutzername": "zq7744"}),
    9: ("Müllerhuber, Ottilie", {"Matrikelnummer": "4471199", "Vorname": "Ottilie"}),
    14: ("jadwiga.kowalczyk@uni.example", {"prénom": "Jadwiga"}),
    20: ("山田 太郎", {}),
    21: ("Will May", {}),
    22: ("kranich", {}),
}  # fmt: skip
SAID = (
    " as ZEBULON said to Ottilie, whom zebulon quarrington's friend Müllerhuber knows; Jadwigas"
    " answer (kowalczyk),"
    " 山田さん, number 4471199, zq7744 and zebq@uni.example; Kranich and kranich"
    " told Will May, and May's answer is zebulon_quarrington.txt by QuarringtonZebulon"
)


def canary_answers() -> list[Answer]:
    """Return two questions in which people copy each other and mention each other."""
    answers = []
    for question, seed in (("loops of Zebulon", 1), ("Müllerhuber Ottilie_51_x", 2)):
        rows = [
            replace(
                answer,
                id=f"{question}/{PEOPLE[n][0]}" if n in PEOPLE else answer.id,
                author=PEOPLE[n][0] if n in PEOPLE else f"k{n:03}",
                source=f"group/{PEOPLE[n][0] if n in PEOPLE else n}/Zebulon.txt",
                meta={"prompt": "Explain loops to Ottilie", "score": "3"}
                | (PEOPLE[n][1] if n in PEOPLE else {}),
            )
            for n, answer in enumerate(honest(30, question, seed))
        ]
        for left, right in ((3, 9), (14, 20), (21, 22)):
            rows[left] = replace(rows[left], text=rows[left].text + SAID)
            rows[right] = replace(rows[right], text=f"{rows[left].text} and {rows[left].id}")
        for equal in (25, 26):
            text = "Zebulon and Ottilie told Kranich that none ends"  # a group, and no finding
            rows[equal] = replace(rows[equal], text=text)
        answers += rows
    folder = "Jadwiga Kranich_51001_assignsubmission_file"
    return [*answers, Answer(f"{folder}/a.txt", f"A text on its own {SAID}", folder)]


def seen(page: str) -> list[str]:
    """Return the names that are in a page."""
    small = unescape(page).casefold()
    return [name for name in CANARIES if name in small]
