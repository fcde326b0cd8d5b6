"""Random SQL expressions: valid ones from a grammar, broken and escaping ones, and slow ones."""

from __future__ import annotations

import re
from random import Random

META = ["score", "label", "my col", "select", "a)", "]", "--", "text", 'x"y', '"', '1. "a" [b]']
META += [
    "a\\",
    "\\n",
    "line\nend",
    "a.b",
    "a[0]",
    "$",
    "é",
    "'q'",
    "*/",
    '\\"',
    "{}",
    "%s",
    "?1",
    "ID",
]
COLUMNS = ['"' + n.replace('"', '""') + '"' for n in META if n.lower() not in ("text", "id")]
FIELDS = ["id", "text", "question", "author", "submitted_at", "line", '"meta:text"', '"meta:ID"']
_LITERALS = [
    *("0", "1", "2.5", "-7", "1e3", "NULL", "'s1'", "'q2'", "'alpha'", "''", "'%a%'", "')'"),
    *("'it''s ('", "'--'", "'/*'", "';'", "x'41'", "9223372036854775807", "TRUE"),
]
_OPERATORS = [
    *("=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT", "+", "-", "*", "/", "%", "||", "&", "|"),
    *("<<", ">>", "AND", "OR", "LIKE", "GLOB", "NOT LIKE", "IS DISTINCT FROM"),
]
_FUNCTIONS = {
    1: "length lower upper abs hex trim typeof quote unicode round likely char date json_valid",
    2: "instr coalesce nullif substr min max ifnull",
    3: "replace iif",
}
_TEMPLATES = [  # {} is an expression, {op} an operator, {f} a field, {1} a function
    *["({}) {op} ({})"] * 5,
    *(
        "{1}({})",
        "{2}({}, {})",
        "{3}({}, {}, {})",
        "({}) IN ({}, {})",
        "({}) BETWEEN ({}) AND ({})",
    ),
    *("CASE WHEN {} THEN {} ELSE {} END", "CAST({} AS {type})", "NOT ({})", "- ({})", "~ ({})"),
    *("({}) IS NULL", "({}) NOT NULL", "({}) COLLATE NOCASE", "({}) ISNULL", "{c} {} {c}"),
    "{f} IN (SELECT a.{f} FROM answers a WHERE a.id < 'a5' ORDER BY 1 LIMIT 3)",
    "EXISTS (SELECT 1 FROM answers a WHERE ({}) IS a.{f})",
    "(SELECT max(a.{f}) FROM answers a WHERE a.id > {})",
]
_COMMENTS = ["/* ) OR (1 */", "-- ) OR (1\n", "/**/", "\n", "\t"]
_PIECES = [
    *("1", "0", ")", "(", "))", "((", " OR ", " AND ", "--", "/*", "*/", ";", "'", '"', "[", "]"),
    *("`", ", 2", " AS x", " AS NUMERIC)", "CAST(", "CASE WHEN ", " THEN 1 END", " END", " THEN "),
    *(" UNION SELECT key FROM answers", " UNION ALL SELECT 1", " FROM answers", " LIMIT 3"),
    *(" ORDER BY 1", " GROUP BY 1", " HAVING 1", " WHERE 1", "SELECT ", "VALUES (1)", "\n", "\0"),
    *("?1", ":question", "@a", "$a(", "$a(()", "#1", "RAISE(IGNORE)", "count(*)", "*"),
    *("sum(score) OVER ()", "DROP TABLE answers", "DELETE FROM answers", "PRAGMA user_version = 9"),
    *("key", "rowid", "answers", "'q1'", "score", " COLLATE NOCASE", " NOTNULL", " ISNULL", "é"),
    *("\ufeff", "\\", "0x", "1e", "EXPLAIN ", "ATTACH 'x' AS y", "load_extension('x')", "\r"),
    *(
        "(SELECT sha FROM vectors)",
        "(SELECT sql FROM sqlite_master)",
        "pragma_table_info('answers')",
    ),
]
_SLOW = [
    "instr(text, substr(text, 1, 1000000) || 'b') > 0",
    "length(replace(text, 'a', text)) > 0",
    "length(replace(replace(printf('%{n}d', 1), ' ', printf('%{n}d', 1)), ' ', 'bb')) > 0",
    "(SELECT count(*) FROM answers a, answers b, answers c, answers d, answers e) > {n}",
    "(SELECT length(group_concat(a.text || b.text)) FROM answers a, answers b) > {n}",
    "(SELECT count(*) FROM (SELECT DISTINCT a.text || b.text || c.id FROM answers a, answers b, "
    "answers c ORDER BY 1)) > 0",
    "(WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t) > 0",
    "text LIKE replace(printf('%900d', 1), ' ', '%a_') || 'b'",
    "text GLOB replace(printf('%400d', 1), ' ', '*[a-z]?') || '1'",
    "length(printf('%{n}00000d', 1)) > 0",
    "length(printf('%.{n}0000f', 1)) > 0",
    "length(hex(hex(hex(hex(hex(hex(hex(text)))))))) > 0",
    "length(zeroblob({n}0000)) > 0",
    "trim(text, text || 'b') = ''",
    "json_valid(replace(printf('%{n}d', 1), ' ', '['))",
    "(SELECT count(*) FROM json_each('[' || replace(printf('%{n}d', 1), ' ', '1,') || '1]')) > 0",
    "(SELECT sum(a.value) FROM json_tree(json_object('a', text, 'b', text)) a) > 0",
    "{deep}",
    "1 IN ({long})",
]


def valid(random: Random, depth: int = 3) -> str:
    """Return an expression that SQLite can parse; its value can still be an error."""
    if depth == 0 or random.random() < 0.15:
        return random.choice([*_LITERALS, *COLUMNS, *COLUMNS, *FIELDS, *FIELDS])
    choices = {
        "op": _OPERATORS,
        "f": ["id", "text", "question", "author"],
        "type": ["TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB"],
        "c": _COMMENTS,
        **{str(count): names.split() for count, names in _FUNCTIONS.items()},
    }

    def filled(match: re.Match[str]) -> str:
        return random.choice(choices[match[1]]) if match[1] else valid(random, depth - 1)

    return re.sub(r"\{(\w*)\}", filled, random.choice(_TEMPLATES))


def broken(random: Random) -> str:
    """Return pieces put together at random: most are no expression, and many want to escape."""
    pieces = [random.choice(_PIECES) for _ in range(random.randint(1, 7))]
    if random.random() < 0.5:
        pieces.insert(random.randrange(len(pieces) + 1), valid(random, 1))
    return "".join(pieces)


def escaping(random: Random) -> str:
    """Return a text that ends its brackets and opens them again, where it stands in some."""
    count = random.choice([1, 1, 2])
    pairs = [(" AS NUMERIC)", "CAST("), (" THEN 1 END)", "(CASE WHEN "), (", 0)", "coalesce(")]
    pairs += [(")\n", "(--\n"), ("*/)", "(/*"), ("') ", "('"), ('")', '("'), (")", "('' || ")]
    end, start = random.choice([*[(")" * count, "(" * count)] * 4, *pairs])
    middle = random.choice(
        [" OR ", " OR 1 OR ", " UNION SELECT key FROM answers WHERE ", "; SELECT"]
    )
    first, last = (random.choice(["1", "0", valid(random, 1)]) for _ in range(2))
    return f"{first}{end}{middle}{start}{last}"


def mutated(random: Random) -> str:
    """Return a valid expression, or one in pieces, with a few of its characters changed."""
    text = random.choice([valid, valid, broken, escaping])(random)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(text) + 1)
        match random.randrange(4):
            case 0:
                text = text[:at] + text[at + random.randint(1, 4) :]
            case 1:
                text = text[:at] + random.choice(_PIECES) + text[at:]
            case 2:
                text = text[:at] + random.choice("()'\"`[]/*-;,\0\n%_?:@$") + text[at + 1 :]
            case _:
                other = random.randrange(len(text) + 1)
                text = text[:at] + text[other : other + 9] + text[at:]
    return text


def slow(random: Random) -> str:
    """Return an expression that takes long, or much memory, in one of SQLite's ways."""
    deep = random.choice(["(" * 3000 + "1" + ")" * 3000, "NOT " * 3000 + "1", "1" + "+1" * 3000])
    long = ",".join(map(str, range(50_000)))
    template = random.choice(_SLOW)
    text = template.replace("{deep}", deep).replace("{long}", long)
    text = text.replace("{n}", str(random.choice([10, 1000, 90_000, 9_000_000])))
    return f"{valid(random, 1)} OR {text}" if random.random() < 0.2 else text
