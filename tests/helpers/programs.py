"""Classes of programs: three honest ones in each language, and copies of the first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class ProgramClass:
    """The programs of a class.

    `renamed` are the first program's names with other ones, two times; `comments` its comments with
    others.
    """

    honest: tuple[str, str, str]
    renamed: tuple[dict[str, str], dict[str, str]]
    comments: dict[str, str]

    def texts(self) -> dict[str, str]:
        """Return all programs by their author."""
        first = self.honest[0]
        return {
            "source": first,
            "honest-1": self.honest[1],
            "honest-2": self.honest[2],
            "renamed-1": with_names(first, self.renamed[0]),
            "renamed-2": with_names(first, self.renamed[1]).replace("    ", "  "),
            "commented": with_texts(first, self.comments),
        }


def with_names(text: str, names: dict[str, str]) -> str:
    """Return a program with other names."""
    return re.sub(r"\w+", lambda match: names.get(match[0], match[0]), text)


def with_texts(text: str, texts: dict[str, str]) -> str:
    """Return a program with other parts, each of which it has."""
    for old, new in texts.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


PYTHON = ProgramClass(
    (
        """# count how often each word occurs in a file
def read_words(path):
    words = []
    with open(path) as file:
        for line in file:
            for word in line.lower().split():
                words.append(word.strip(".,;:!?"))
    return words


def frequencies(words):
    counts = {}
    for word in words:
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    return counts


# the ten most frequent ones come first
def show(counts, limit=10):
    ordered = sorted(counts.items(), key=lambda item: item[1], reverse=True)
    for word, count in ordered[:limit]:
        print(f"{word:>15} occurs {count} times")


show(frequencies(read_words("text.txt")))
""",
        """from collections import Counter
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
tokens = re.findall(r"[a-z']+", text.lower())
table = Counter(tokens)
for token, n in table.most_common(10):
    print(token, n, sep="\\t")
""",
        '''import string

TABLE = str.maketrans("", "", string.punctuation)


class WordCounter:
    """Counts words."""

    def __init__(self):
        self.seen = {}

    def feed(self, line):
        for w in line.translate(TABLE).casefold().split(" "):
            if not w:
                continue
            self.seen[w] = self.seen.get(w, 0) + 1

    def top(self, k):
        ranking = list(self.seen)
        ranking.sort(key=self.seen.get)
        return ranking[-k:][::-1]


counter = WordCounter()
f = open("input.txt")
while True:
    row = f.readline()
    if row == "":
        break
    counter.feed(row.rstrip())
f.close()
print("Most common:", ", ".join(counter.top(10)))
''',
    ),
    (
        {
            "words": "tokens",
            "word": "tok",
            "counts": "table",
            "frequencies": "tally",
            "show": "out",
        },
        {
            "read_words": "load",
            "words": "ws",
            "word": "w",
            "counts": "d",
            "ordered": "o",
            "line": "l",
        },
    ),
    {
        "# count how often each word occurs in a file": "# my solution of exercise three",
        "# the ten most frequent ones come first": "# prints the result to the screen",
    },
)

JAVASCRIPT = ProgramClass(
    (
        """// checks the brackets of an expression
const pairs = { ")": "(", "]": "[", "}": "{" };

function isBalanced(text) {
    const stack = [];
    for (const letter of text) {
        if (Object.values(pairs).includes(letter)) {
            stack.push(letter);
        } else if (letter in pairs) {
            // a closing one needs its partner on top
            if (stack.pop() !== pairs[letter]) {
                return false;
            }
        }
    }
    return stack.length === 0;
}

const samples = ["(a[b]{c})", "(]", "((", ""];
for (const sample of samples) {
    console.log(`${sample || "empty"} -> ${isBalanced(sample) ? "fine" : "broken"}`);
}
""",
        """function check(s) {
    let depth = { round: 0, square: 0, curly: 0 };
    for (let i = 0; i < s.length; i++) {
        switch (s.charAt(i)) {
            case "(": depth.round++; break;
            case ")": depth.round--; break;
            case "[": depth.square++; break;
            case "]": depth.square--; break;
            case "{": depth.curly++; break;
            case "}": depth.curly--; break;
        }
        if (depth.round < 0 || depth.square < 0 || depth.curly < 0) return "no";
    }
    return depth.round + depth.square + depth.curly == 0 ? "yes" : "no";
}
console.log(check("(()[])"));
console.log(check("{[}"));
""",
        """let open = "([{", close = ")]}";

// remove pairs until nothing changes
const balanced = (input) => {
    let rest = input.replace(/[^()\\[\\]{}]/g, "");
    let before;
    do {
        before = rest;
        for (let k = 0; k < open.length; ++k) {
            rest = rest.split(open[k] + close[k]).join("");
        }
    } while (before != rest);
    return rest == "";
};

document.querySelector("#go").addEventListener("click", () => {
    const value = document.querySelector("#expression").value;
    alert(balanced(value) ? "Balanced!" : "Not balanced!");
});
""",
    ),
    (
        {"stack": "open", "letter": "c", "text": "input", "pairs": "match", "samples": "tests"},
        {"isBalanced": "ok", "stack": "s", "letter": "ch", "sample": "t", "samples": "all"},
    ),
    {
        "// checks the brackets of an expression": "// homework 4, second part",
        "// a closing one needs its partner on top": "// compare with what was opened last",
    },
)

C = ProgramClass(
    (
        """#include <stdio.h>
#include <stdlib.h>

/* sorts the numbers by insertion */
void insertion_sort(int *values, int count) {
    for (int i = 1; i < count; i++) {
        int current = values[i];
        int j = i - 1;
        while (j >= 0 && values[j] > current) {
            values[j + 1] = values[j];
            j--;
        }
        values[j + 1] = current;
    }
}

/* the middle of the sorted numbers */
double median(int *values, int count) {
    insertion_sort(values, count);
    if (count % 2 == 0)
        return (values[count / 2 - 1] + values[count / 2]) / 2.0;
    return values[count / 2];
}

int main(void) {
    int numbers[] = {9, 4, 7, 1, 8, 2};
    printf("The median is %.1f\\n", median(numbers, 6));
    return EXIT_SUCCESS;
}
""",
        """#include <stdio.h>
#define N 100

int main() {
    float a[N], t, m;
    int n, p, q;
    printf("How many numbers? ");
    scanf("%d", &n);
    for (p = 0; p < n; ++p) scanf("%f", &a[p]);
    for (p = 0; p < n; ++p)
        for (q = p + 1; q < n; ++q)
            if (a[q] < a[p]) { t = a[p]; a[p] = a[q]; a[q] = t; }
    m = n % 2 ? a[n / 2] : 0.5f * (a[n / 2] + a[n / 2 - 1]);
    printf("median: %g\\n", m);
}
""",
        """#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cmp(const void *x, const void *y) {
    const long *l = x, *r = y;
    return (*l > *r) - (*l < *r);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s NUMBER...\\n", argv[0]);
        return 1;
    }
    size_t len = argc - 1;
    long *data = malloc(len * sizeof *data);
    for (size_t k = 0; k < len; k++)
        data[k] = strtol(argv[k + 1], NULL, 10);
    qsort(data, len, sizeof *data, cmp);
    long low = data[(len - 1) / 2], high = data[len / 2];
    printf("%ld.%d\\n", (low + high) / 2, (low + high) % 2 ? 5 : 0);
    free(data);
}
""",
    ),
    (
        {"values": "arr", "count": "n", "current": "key", "median": "middle", "numbers": "list"},
        {
            "insertion_sort": "sort",
            "values": "v",
            "count": "len",
            "current": "x",
            "i": "a",
            "j": "b",
        },
    ),
    {
        "/* sorts the numbers by insertion */": "/* helper function */",
        "/* the middle of the sorted numbers */": "/* what was asked for in part b */",
    },
)

SQL = ProgramClass(
    (
        """-- customers who ordered for more than a thousand last year
SELECT c.name, c.city, SUM(o.amount) AS total, COUNT(*) AS orders
FROM customer AS c
JOIN purchase AS o ON o.customer_id = c.id
WHERE o.ordered_on BETWEEN '2024-01-01' AND '2024-12-31'
  AND o.status <> 'cancelled'
GROUP BY c.name, c.city
HAVING SUM(o.amount) > 1000
ORDER BY total DESC, c.name;

-- those who never ordered
SELECT name
FROM customer
WHERE NOT EXISTS (SELECT 1 FROM purchase WHERE purchase.customer_id = customer.id);
""",
        """SELECT customer.name, customer.city, t.s
FROM customer,
     (SELECT customer_id, SUM(amount) s
      FROM purchase
      WHERE YEAR(ordered_on) = 2024 AND status IN ('paid', 'shipped', 'open')
      GROUP BY customer_id) t
WHERE t.customer_id = customer.id AND t.s > 1000;
SELECT customer.name
FROM customer LEFT JOIN purchase ON purchase.customer_id = customer.id
WHERE purchase.id IS NULL;
""",
        """WITH sums AS (
    SELECT customer_id AS id, SUM(CASE WHEN status = 'cancelled' THEN 0 ELSE amount END) AS spent
    FROM purchase
    WHERE ordered_on >= DATE '2024-01-01' AND ordered_on < DATE '2025-01-01'
    GROUP BY 1
)
SELECT name, city, spent FROM customer NATURAL JOIN sums WHERE spent >= 1000.01 ORDER BY spent;
SELECT name FROM customer WHERE id NOT IN (SELECT DISTINCT customer_id FROM purchase);
""",
    ),
    (
        {"c": "cust", "o": "ord", "total": "revenue", "orders": "n"},
        {"c": "x", "o": "y", "total": "gesamt", "orders": "anzahl"},
    ),
    {
        "-- customers who ordered for more than a thousand last year": "-- exercise 1",
        "-- those who never ordered": "-- exercise 2, with a subquery",
    },
)

R = ProgramClass(
    (
        """# bootstrap interval of a mean
bootstrap_mean <- function(sample, times = 2000, level = 0.95) {
    means <- numeric(times)
    for (i in seq_len(times)) {
        means[i] <- mean(sample[sample.int(length(sample), replace = TRUE)])
    }
    # the borders are quantiles
    border <- (1 - level) / 2
    quantile(means, c(border, 1 - border))
}

set.seed(42)
heights <- read.csv("heights.csv")$height
interval <- bootstrap_mean(heights)
cat("The mean lies between", interval[1], "and", interval[2], "\\n")
hist(heights, breaks = 20, main = "Heights of the class")
abline(v = interval, col = "red")
""",
        """library(boot)
d <- read.csv("heights.csv", sep = ";")
b <- boot(d$height, function(x, idx) mean(x[idx]), R = 999)
print(boot.ci(b, type = "perc"))
plot(b)
""",
        """x = scan("heights.csv", skip = 1, quiet = TRUE)
n = length(x)
draws = matrix(sample(x, n * 5000, TRUE), nrow = n)
m = sort(colMeans(draws))
low = m[round(0.025 * 5000)]
high = m[round(0.975 * 5000)]
print(paste0("[", signif(low, 4), ", ", signif(high, 4), "]"))
boxplot(x, horizontal = TRUE, ylab = "cm")
""",
    ),
    (
        {
            "means": "result",
            "times": "reps",
            "border": "alpha",
            "heights": "data",
            "interval": "ci",
        },
        {"bootstrap_mean": "bs", "sample": "values", "means": "m", "i": "k", "interval": "bounds"},
    ),
    {
        "# bootstrap interval of a mean": "# solution by group 7",
        "# the borders are quantiles": "# two-sided",
    },
)

HASKELL = ProgramClass(
    (
        """module Main where

import Data.Char (isSpace)

-- a queue of two lists
data Queue a = Queue [a] [a]

empty :: Queue a
empty = Queue [] []

push :: a -> Queue a -> Queue a
push element (Queue front back) = Queue front (element : back)

-- the back is turned round only when the front is used up
pop :: Queue a -> Maybe (a, Queue a)
pop (Queue [] []) = Nothing
pop (Queue [] back) = pop (Queue (reverse back) [])
pop (Queue (first : front) back) = Just (first, Queue front back)

toList :: Queue a -> [a]
toList queue = case pop queue of
    Nothing -> []
    Just (first, rest) -> first : toList rest

main :: IO ()
main = do
    content <- getContents
    let queue = foldr push empty (lines content)
    mapM_ putStrLn (filter (not . all isSpace) (toList queue))
""",
        """import qualified Data.Sequence as Seq
import Data.Sequence (Seq, (|>), ViewL (..), viewl)

type Q = Seq Int

run :: Q -> [String] -> [Int]
run q [] = []
run q ("push" : n : more) = run (q |> read n) more
run q ("pop" : more) = case viewl q of
    EmptyL -> error "empty queue"
    x :< q' -> x : run q' more
run _ (other : _) = error ("unknown command " ++ other)

main = interact $ unlines . map show . run Seq.empty . words
""",
        """module Queue (Queue, new, enqueue, dequeue, size) where

data Queue t = Nil | Cons t (Queue t)

new = Nil

enqueue x Nil = Cons x Nil
enqueue x (Cons y ys) = Cons y (enqueue x ys)

dequeue Nil = error "nothing to take"
dequeue (Cons y ys) = (y, ys)

size Nil = 0
size (Cons _ ys) = 1 + size ys

instance Show t => Show (Queue t) where
    show Nil = "<>"
    show (Cons y ys) = "<" ++ show y ++ show ys ++ ">"
""",
    ),
    (
        {"element": "x", "front": "f", "back": "b", "first": "h", "queue": "q", "rest": "r"},
        {"push": "enqueue", "pop": "dequeue", "front": "xs", "back": "ys", "content": "text"},
    ),
    {
        "-- a queue of two lists": "-- our data type",
        "-- the back is turned round only when the front is used up": "-- amortized constant time",
    },
)

CLASSES = {
    "py": PYTHON,
    "js": JAVASCRIPT,
    "c": C,
    "sql": SQL,
    "r": R,
    "hs": HASKELL,
}
"""The classes, by the ending of their files."""

WORDS = (
    "alpha beta gamma delta count total index value node left right item key name size data result "
    "temp queue stack row col line word text flag"
).split()


def random_program(lines: int, random: Random) -> str:
    """Return a program in Python that nobody else writes, with at least so many lines."""
    names = random.sample(WORDS, 12)
    program = ["import sys", ""]
    while len(program) < lines:
        body = [line for _ in range(random.randint(4, 9)) for line in _statement(names, 1, random)]
        name = "_".join(random.choices(WORDS, k=2))
        program.append(f"def {name}({random.choice(names)}, {random.choice(names)}):")
        program += [f"    {line}" for line in body] + [""]
    return "\n".join(program)


def _statement(names: list[str], depth: int, random: Random) -> list[str]:
    one, two, three = random.choices(names, k=3)
    number = random.choice([0, 1, 2, 3, 10, random.randint(4, 99)])
    word, other = random.choices(WORDS, k=2)
    plain = [
        f"{one} = {two} {random.choice('+-*/%')} {three}",
        f'print("{word} of {other} is", {one})',
        f"{one}.append({two}[{number}])",
        f"# {word} of the {other}",
        f"return {word}({one}, {two})",
    ]
    heads = [f"for {one} in range({two}, {number}):", f"if {one} <= {number}:"]
    chosen = random.choice(plain + heads if depth < 3 else plain)
    if chosen not in heads:
        return [chosen]
    inside = [
        line for _ in range(random.randint(1, 4)) for line in _statement(names, depth + 1, random)
    ]
    return [chosen, *(f"    {line}" for line in inside)]


def renamed(program: str) -> str:
    """Return a program of `random_program` with another name for each."""
    names = {word: f"{word[::-1]}{n}" for n, word in enumerate(WORDS)}
    return re.sub(
        r"\".*?\"|#.*|\w+",
        lambda match: "_".join(names.get(part, part) for part in match[0].split("_")),
        program,
    )


def reordered(program: str, random: Random) -> str:
    """Return a program of `random_program` with its functions in another order."""
    head, *functions = re.split(r"^(?=def )", program, flags=re.M)
    random.shuffle(functions)
    return head + "\n\n".join(function.strip() for function in functions) + "\n"
