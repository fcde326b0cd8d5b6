"""Who filled in a form: its questions for a name, a number or an address are no questions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

from searchkit.sources.columns import Values
from searchkit.sources.header_names import HEADER_NAMES, fold_header
from searchkit.sources.layouts.layout import Layout, header_text, is_nobody
from searchkit.sources.layouts.wide import holds_addresses, holds_texts

# What asks for a name and isn't part of it, in the languages of `header_names`.
_ASKING = frozenset(
    """
    what is your the please enter type write provide state s of
    wie lautet ist was bitte geben gib sie dein deine deinen ihr ihre ihren an ein den die der
    quel quelle est votre ton veuillez indiquer indiquez entrer le la l
    cual es tu su por favor escribe escriba indica introduce el
    qual e o a seu sua teu tua informe digite escreva
    il tuo suo tua sua inserisci inserire
    wat uw je jouw vul in
    """.split()
)
_PARTS = frozenset("name nom nombre nome naam".split())  # whole names, or parts beside others
_FULL_NAMES = frozenset(
    """
    full_name student_name name_student first_and_last_name first_last_name name_and_surname
    surname_and_name first_name_and_last_name first_name_last_name last_name_first_name
    namen vollstaendiger_name vollstandiger_name vollstandigen_namen vor_und_nachname
    vor_und_nachnamen vor_nachname vor_und_zuname vorname_und_nachname vorname_nachname
    nachname_vorname name_vorname vorname_name name_und_vorname vorname_und_name
    nom_complet nom_et_prenom nom_prenom prenom_et_nom prenom_nom
    nombre_completo nombre_y_apellido nombre_y_apellidos apellidos_y_nombre
    nome_completo nome_e_apelido nome_e_sobrenome nome_e_cognome cognome_e_nome
    wie_heissen_sie wie_heisst_du comment_vous_appelez_vous como_te_llamas como_se_llama
    como_se_chama come_ti_chiami come_si_chiama hoe_heet_je hoe_heet_u
    volledige_naam voor_en_achternaam
    """.split()
)
_NUMBERS = frozenset(
    """
    id_number student_id_number matriculation_number matric_number registration_number roll_number
    university_id
    """.split()
)
_BRACKETED = re.compile(r"\([^()]*\)")


def person_of_form(names: Sequence[str], sample: Sequence[Values]) -> Layout:
    """Return the author of a table whose rows are people, and what tells people apart.

    A name comes before a number, a number before an address; first and last name go together. The
    columns of people that don't make the author tell people of the same name apart.

    Args:
        names: The table's columns.
        sample: The first rows. A column that is empty there, or holds texts, is no person's.
    """
    roles: dict[str, list[str]] = defaultdict(list)
    for name in names:
        role = _role(name) or ("email" if holds_addresses(name, sample) else None)
        if role and not _is_unused(name, sample) and not holds_texts(name, sample):
            roles[role].append(name)
    firsts, lasts, parts = roles["first name"], roles["last name"], roles["name"]
    singles = [name for role in ("full name", "name", "author", "email") for name in roles[role]]
    pair = ((firsts or parts)[:1], (lasts or parts)[:1]) if firsts or lasts else ()
    author = tuple(chain(*pair)) or tuple(singles[:1])
    is_name = bool(author) and _role(author[0]) not in (None, "author", "email")
    identity = (*roles["email"], *roles["author"]) if is_name else ()
    return Layout((), author=author, identity=identity)


def asks_for_person(name: str) -> bool:
    """Whether a column's header is a usual one of a person, or asks for it."""
    return _role(name) is not None


def _role(name: str) -> str | None:
    """Return which field of a person a header asks for; None if it asks for something else."""
    header = header_text(name)
    for text in (header, _BRACKETED.sub(" ", header)):
        folded = fold_header(text)
        asked = "_".join(word for word in folded.split("_") if word not in _ASKING)
        for words in (folded, asked):
            if role := _role_of_words(words):
                return role
    return None


def _role_of_words(words: str) -> str | None:
    if words in _PARTS:
        return "name"
    if words in _FULL_NAMES:
        return "full name"
    fields = ("first_name", "last_name", "email", "author")
    role = next((field for field in fields if words in HEADER_NAMES[field]), None)
    return "author" if words in _NUMBERS else role and role.replace("_", " ")


def _is_unused(name: str, sample: Sequence[Values]) -> bool:
    """Whether a column is empty in all rows, or says that there is no author."""
    return bool(sample) and all(is_nobody(row.get(name) or "") for row in sample)
