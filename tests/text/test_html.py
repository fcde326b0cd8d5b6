import time
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.text.html import html_to_text, is_html

MARKUP = [
    "<p>one</p>",
    '<p dir="ltr">one</p>\n<p>two<br></p>',
    "<div>one<div>two</div></div>",
    "<ul><li>one<li>two</ul>",
    "<b>bold</b>",
    "<P ALIGN=left>one</P>",
    "<p>a&nbsp;b</p>&nbsp;<p>c</p>",
    "<!DOCTYPE html><html><body>one",
    "<!-- note --><p>one</p>",
    "<meta charset='utf-8'><p>one</p>",
    "<p>one</p><script>alert(1)</script>",
    "<p>A List<String> of names</p>",
    "one<br>two",
    "one<br />two",
    "I don't know<br>",
    "one<div>two</div><div>three</div>",
    "Tom &amp; Jerry are <b>bold</b>",
    'see <span style="color: red">this</span> word',
]
NO_MARKUP = [
    "",
    "a<b",
    "i < 3 and j > 4",
    "<3 <3 I love it",
    "List<String> names",
    "if (x<y && y>z)",
    "if (a<b && c>d) return;",
    "if (a<br>b && c<d)",
    "#include <stdio.h>",
    "#include <map>\nint main() { std::map<int, int> m; }",
    "<T>",
    "class Node<S> { Node<S> next; }",
    "for (i = 0; i<p; i++) cout<<i<<endl;",
    "x <- c(1, 2)",
    "Hello &amp; goodbye",
    "<p>",
    "<br>",
    "<p></p>",
    "<p> is a paragraph",
    "The <p> tag makes a paragraph, and <br> ends a line",
    "The tags <p>, <b> and <i> exist.",
    "The element <p></p> is empty, <b></b> too",
    "Write <b>bold</b> for bold",
    "A list is <ul><li>one</li></ul>",
    "`<p>one</p>` is a paragraph",
    'write "<b>bold</b>" and &nbsp;',
    '<form action="/"><label>Name</label><input name="n"></form>',
    "<note><to>Tove</to></note>",
    '<div className="box"><p>{name}</p></div>',
    '<ul><li v-for="item in items">{{ item }}</li></ul>',
    "<div onClick={() => setOpen(true)}>Open</div>",
    '<a @click="open">Open</a>',
]


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_html(text):
    assert is_html(text)


@pytest.mark.parametrize("text", NO_MARKUP)
def test_code_and_answers_about_html_are_not(text):
    assert not is_html(text)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hi <b>the</b>re</p><p>x &amp; y</p>", "Hi there\n\nx & y"),
        (
            "<p>a paragraph that was\n  wrapped by&nbsp;some\n  editor</p>",
            "a paragraph that was wrapped by some editor",
        ),
        (
            "<p>for x in y:\nprint(x)\nprint(y) # and more</p>",
            "for x in y:\nprint(x)\nprint(y) # and more",
        ),
        ("<p>one<br>two<br><br>three</p>", "one\ntwo\n\nthree"),
        ("one<div>two</div><div>three</div>", "one\ntwo\nthree"),
        ("<ul><li>a<li><b>b</b></ul><ol><li>x<li>y</ol>", "- a\n- b\n\n1. x\n2. y"),
        ("<ul><li>a<ul><li>b</ul></li><li>c</ul>", "- a\n- b\n- c"),
        ("<pre>\ndef f():\n    return 1\n\n\nx\n</pre><p>t", "def f():\n    return 1\n\n\nx\n\nt"),
        ("<table><tr><td>a<td>b</tr><tr><th>c</th><th>d</th></table>", "a\tb\nc\td"),
        ("<p>x <img src=x alt='a  pic'> y</p>", "x a pic y"),
        ("<title>t</title><style>p {}</style><p>x<script>a < b</script></p>", "x"),
        ("<p>x<!-- <p>y</p> --></p>", "x"),
        ("<p>&lt;p&gt; &copy; &#x27; &rarr;</p>", "<p> © ' →"),
        ("<p>List<String> a; if (a<b && c>d)</p>", "List<String> a; if (a<b && c>d)"),
        ("<p>x <!-- y</p>", "x <!-- y"),
        ("<p>x <script> y</p>", "x y"),
        ("<math><mi>x</mi><mo>=</mo></math><o:p></o:p> 1", "x= 1"),
        ("", ""),
    ],
)
def test_the_text_of_html(html, text):
    assert html_to_text(html) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_no_word_is_lost(text):
    html = f"<div><p>{escape(text)}</p></div>"
    assert html_to_text(html).split() == text.split()
    assert is_html(html) == any(map(str.isalnum, text))


@given(
    st.lists(st.sampled_from([*"<>/!-&;\"'= ax", "<p>", "</p>", "<b>", "</div>", "<li>", "<ul>"]))
)
@settings(max_examples=300)
def test_any_text_is_survived(pieces):
    text = "".join(pieces)
    is_html(text)
    html_to_text(text)


HOSTILE = """
<div> <b> <dd><p><li> <dd><p> <ul><li> <table><tr><td> <!-- <div></u> <p/a=" <script> <style> < &
</p> <plaintext> <textarea> <template> <p/a
"""


@pytest.mark.parametrize("part", HOSTILE.split())
def test_hostile_markup_takes_seconds(part):
    start = time.perf_counter()
    text = part * 30_000
    is_html(text)
    html_to_text(text)
    closing = "".join(f"</{name[:-1]}>" for name in part.split("<")[:0:-1] if ">" in name)
    html = text + "deep" + closing * 30_000
    is_html(html)
    html_to_text(html)
    assert time.perf_counter() - start < 20


def test_ends_in_no_order_take_seconds():
    start = time.perf_counter()
    html_to_text("<dd>" * 50_000 + "<p></dd></p><li></dd></li></b>" * 50_000)
    assert time.perf_counter() - start < 20


def test_a_hundred_thousand_open_elements_lose_no_word():
    assert html_to_text("<div>" * 100_000 + "deep" + "</div>" * 100_000) == "deep"
