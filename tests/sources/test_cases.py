"""What a teacher expects of each file in `../shared/cases`; the numbers are those of its list."""

from helpers.cases import case

from searchkit.sources.reader import read_answers


def test_case_43_html_has_the_words_of_the_same_answers_in_plain_text():
    html = {answer.id: answer for answer in read_answers([case("43-half-html.csv")])}
    plain = {answer.id: answer for answer in read_answers([case("43-none-html.csv")])}
    assert {id: answer.text.split() for id, answer in html.items()} == {
        id: answer.text.split() for id, answer in plain.items()
    }
    assert sum(answer.original is not None for answer in html.values()) == 14
    assert not any(answer.original for answer in plain.values())
