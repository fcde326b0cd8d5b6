"""The usual names of columns, in the languages in which teachers and platforms write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

# A field's names in the order in which they are tried, a language a line: English, German, French,
# Spanish, Portuguese, Italian, Dutch. "Nom", "Nombre", "Nome" and "Name" are the whole name where
# no other column holds a part of it, and so they are among the authors and among the parts. The
# words are separated by commas.
_WORDS = {
    "id": """
        id, key, answer id, response id, submission id, identifier
        Antwort-ID, Abgabe-ID, Kennung, Schlüssel, Lfd. Nr
        identifiant, id réponse, clé
        identificador, id respuesta, clave
        id resposta, chave
        identificativo, identificatore, id risposta, chiave
        antwoord-id, sleutel
        """,
    "text": """
        text, answer, content, response, body, answer text, response text, student answer,
        student response, answers, responses, essay text, EssayText, essay, online text, submission,
        given answer, answer given, pupil answer, pupil response, learner response, reply
        Antwort, Antworttext, Antwort des Studenten, Schülerantwort, Freitext, Texteingabe, Inhalt,
        Lösung
        réponse, texte, texte de la réponse, réponse de l'étudiant, réponse de l'élève,
        texte en ligne, contenu, rédaction
        respuesta, texto, texto de la respuesta, respuesta del estudiante, respuesta del alumno,
        texto en línea, contenido, redacción
        resposta, texto da resposta, resposta do estudante, resposta do aluno, texto em linha,
        texto online, conteúdo, redação
        risposta, testo, testo della risposta, risposta dello studente, testo online, contenuto,
        elaborato, svolgimento
        antwoord, tekst, antwoordtekst, antwoord student, antwoord van de student, respons,
        online tekst, inhoud
        """,
    "question": """
        question, question id, task, exercise, problem, question number, item, essay set, EssaySet,
        q, q id, q no
        Frage, Aufgabe, Aufgabennummer, Aufgaben-Nr, Aufg., Frage-ID, Fragenummer, Frage Nr,
        Aufgaben-ID, Übung, Teilaufgabe
        numéro de question, n° question, id question, exercice, tâche, devoir
        pregunta, número de pregunta, id pregunta, ejercicio, tarea, problema
        pergunta, questão, número da questão, número da pergunta, id pergunta, exercício, tarefa
        domanda, quesito, numero domanda, id domanda, esercizio, compito
        vraag, vraagnummer, vraag-id, opgave, opdracht, oefening
        prompt
        """,
    "author": """
        author, student, user, student id, student number, student name, full name, username,
        user id, user name, participant, learner, name, pupil, pupil name, pupil id, learner name,
        learner id, participant name, participant id, candidate name, respondent, author name,
        author id, student names, player, player name, nickname, voter, voters, contributor, poster,
        requester, requester name, submitter, reporter, customer, customer name, sender,
        owner
        Autor, Verfasser, Matrikelnummer, Matrikelnr, Matrikel-Nr, Matrikel, Matr.-Nr, Matr.,
        MatrNr, Student, Studentin, Studierende, Studierende/r, Studierender, Schüler, Schülerin,
        Schüler/in, Schülername, Teilnehmer, Teilnehmerin, Teilnehmende, Teilnehmer/in,
        Anmeldename, Benutzername, Nutzername, Benutzer, Kürzel, Vollständiger Name, Prüfling
        auteur, étudiant, étudiante, étudiant.e, étudiant(e), élève, apprenant,
        numéro étudiant, numéro d'étudiant, n° étudiant, matricule, nom d'utilisateur,
        utilisateur, participant, nom complet, nom et prénom, nom prénom, nom
        autor, autora, estudiante, alumno, alumna, alumno/a, matrícula, número de matrícula,
        número de estudiante, nombre de usuario, usuario, participante, nombre completo,
        nombre y apellidos, apellidos y nombre, nombre
        estudante, aluno, aluna, aluno/a, número de aluno, número do aluno, número de estudante,
        nome de utilizador, nome de usuário, usuário, utilizador, nome completo, nome
        autore, autrice, studente, studentessa, alunno, alunna, matricola, numero di matricola,
        nome utente, utente, partecipante, nome e cognome, cognome e nome
        auteur, student, studente, leerling, studentnummer, studentnr, leerlingnummer, cursist,
        gebruikersnaam, gebruiker, deelnemer, volledige naam, naam
        """,
    "person_id": """
        SID, SIS ID, SIS user id, net id, student no, id number, roll number, roll no,
        registration number, candidate number, candidate
        Personenkennung, Prüflingsnummer
        numéro d'identification, code étudiant, code permanent
        número de identificación, número de identificação
        numero identificativo
        identificatienummer
        """,
    "submitted_at": """
        submitted at, created at, timestamp, submitted, submission time, submission date,
        completion time, completed, date, datetime, time, last modified (submission), submitted on,
        date submitted, time submitted, date of submission, handed in, handed in on, handed in at,
        turned in, turned in at, answered at, completed at, finished at, completed on,
        creation date, creation time
        Zeitstempel, Abgabe, Abgabedatum, Abgabezeit, Abgabezeitpunkt, Abgegeben, Abgegeben am,
        Eingereicht, Eingereicht am, Beendet, Fertigstellungszeit, Datum, Zeitpunkt, Zeit, Uhrzeit
        horodateur, horodatage, date de remise, date de rendu, date d'envoi, remis le, rendu le,
        soumis le, terminé, heure de fin, date et heure, heure
        marca temporal, fecha de entrega, fecha de envío, entregado, entregado el, enviado el,
        finalizado, hora de finalización, fecha y hora, fecha, hora
        carimbo de data/hora, data de entrega, data de envio, data de submissão, entregue em,
        enviado em, submetido em, terminada, completada, hora de conclusão, data e hora, data
        informazioni cronologiche, data di consegna, consegnato, consegnato il, inviato il,
        completato, ora di completamento, data e ora, consegna, ora
        tijdstempel, inleverdatum, ingeleverd, ingeleverd op, ingediend, ingediend op, voltooid,
        tijd van voltooien, datum, tijd, tijdstip
        """,
    "prompt": """
        prompt, question text, q text, question title, task text, instructions, wording
        Aufgabenstellung, Aufgabentext, Fragetext, Fragestellung, Wortlaut der Frage
        énoncé, texte de la question, intitulé, consigne, libellé de la question
        enunciado, texto de la pregunta, consigna
        texto da pergunta, texto da questão
        testo della domanda, testo del quesito, consegna dell'esercizio, traccia
        vraagtekst, vraagstelling, opdrachttekst, opgavetekst
        """,
    "points": """
        points, score, mark, grade, marks, pts, points earned, final score, total score
        Punkte, Punktzahl, Pkt, Pkte, Erreichte Punkte, Bewertung, Note, Gesamtpunktzahl, Zensur
        points obtenus, note, notes, résultat, évaluation, total des points
        puntos, puntuación, puntaje, calificación, nota, total de puntos
        pontos, pontuação, nota, classificação, cotação, avaliação, total de pontos
        punti, punteggio, voto, valutazione, totale punti
        punten, score, cijfer, beoordeling, totaal aantal punten
        """,
    "comment": """
        comment, comments, feedback, feedback comments, remark, remarks, notes
        Kommentar, Kommentare, Bemerkung, Bemerkungen, Rückmeldung, Anmerkung, Anmerkungen
        commentaire, commentaires, remarque, remarques, rétroaction, appréciation, observations
        comentario, comentarios, observación, observaciones, retroalimentación
        comentário, comentários, observação, observações
        commento, commenti, osservazione, osservazioni, nota, annotazioni, giudizio
        opmerking, opmerkingen, commentaar, toelichting, terugkoppeling
        """,
    "first_name": """
        first name, firstname, given name, given names, forename
        Vorname, Vornamen, Rufname
        prénom, prénoms
        nombre, nombre de pila, nombres, nombre(s)
        nome próprio, primeiro nome, nome
        nome di battesimo
        voornaam, voornamen, roepnaam
        """,
    "last_name": """
        last name, lastname, surname, family name
        Nachname, Familienname, Zuname, Name
        nom de famille, nom
        apellido, apellidos, apellido(s), primer apellido
        apelido, apelidos, sobrenome, último nome
        cognome
        achternaam, familienaam
        """,
    "email": """
        email, e-mail, email address, emailaddress, e-mail address, mail
        E-Mail-Adresse, Mailadresse, Emailadresse
        courriel, adresse e-mail, adresse de courriel, adresse électronique,
        adresse de messagerie, mél
        correo, correo electrónico, dirección de correo, dirección de correo electrónico,
        dirección de email
        correio eletrónico, correio eletrônico, endereço de e-mail, endereço de email,
        endereço eletrónico
        indirizzo email, indirizzo e-mail, posta elettronica, indirizzo di posta elettronica
        e-mailadres, emailadres, mailadres
        """,
}
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})  # "Schluessel" for "Schlüssel"


@lru_cache(maxsize=1 << 13)
def fold_header(name: str) -> str:
    """Return a column's name as it is compared: without case, accents and punctuation.

    What stands between words becomes `_`: `N° d'étudiant ` is `n_d_etudiant`.
    """
    plain = name.lower()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", name.casefold())
        plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return "_".join(re.findall(r"[^\W_]+", plain))


@lru_cache(maxsize=4)
def columns_by_header(names: tuple[str, ...]) -> Mapping[str, str]:
    """Return columns by their folded headers; of several with one header the first."""
    columns: dict[str, str] = {}
    for name in names:
        columns.setdefault(fold_header(name), name)
    return MappingProxyType(columns)


def _names(words: str) -> tuple[str, ...]:
    names: dict[str, None] = {}  # in their order, each once
    for word in words.replace("\n", ",").split(","):
        for spelling in (word, word.casefold().translate(_SPELLED_OUT)):
            if folded := fold_header(spelling):
                names[folded] = None
    return tuple(names)


HEADER_NAMES: dict[str, tuple[str, ...]] = {field: _names(words) for field, words in _WORDS.items()}
