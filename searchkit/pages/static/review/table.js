// The table: its rows as the server wrote them, which of them are listed, in which order, and ticked.
import { ask, by } from "../common.js";
import { state } from "./address.js";

const body = by("rows").tBodies[0];
const values = (selector, name) => [...document.querySelectorAll(selector)].map(one => one.dataset[name]);
const choices = id => new Map([...(by(id)?.options ?? [])].map((option, n) => [option.value, n]));
const ranks = {
  question: choices("question"),
  author: choices("author"),
  verdict: values("#filters [data-verdict]", "verdict"),
  decision: values("#filters [data-show]", "show"),
};

function readRow(tr) {
  const [box, link, question, verdict, authors, time] = tr.cells;
  const query = new URLSearchParams(link.firstElementChild.search);
  return {
    tr,
    box: box.firstElementChild,
    link: link.firstElementChild,
    number: Number(tr.id.replace("row-", "")),
    left: query.get("left"),
    right: query.get("right"),
    question: question.textContent,
    verdict: verdict.textContent,
    authors: [...authors.children].map(one => one.textContent),
    time: time.firstElementChild?.dateTime ?? "",
    decision: tr.dataset.decision,
  };
}

/** All findings, in the order of the table. */
export const rows = [...body.rows].map(readRow);
const byNumber = [...rows].sort((one, other) => one.number - other.number);
const byPair = new Map(rows.map(row => [JSON.stringify([row.left, row.right]), row]));
let listedRows = rows.filter(row => !row.tr.hidden), matching = null, searched = null, sorted = state.sort;

/** Return the row of two answers; undefined if they are no finding. */
export const find = pair => pair && byPair.get(JSON.stringify(pair));

/** Return the rows that are listed, in order: the queue. */
export const listed = () => listedRows;

/** Return the row with a number. */
export const numbered = number => byNumber[number - 1];

// -- which are listed -----------------------------------------------------------------------------

const TESTS = {
  question: row => state.question === null || row.question === state.question,
  author: row => !state.author || row.authors.includes(state.author),
  verdict: row => !state.verdict.size || state.verdict.has(row.verdict),
  show: row => !state.show.size || state.show.has(row.decision),
  text: row => !matching || matching.has(row),
};
const passes = (row, except) => Object.entries(TESTS).every(([field, test]) => field === except || test(row));

/** Ask the server which findings have the words of the text; it searches the answers, too. */
export async function search() {
  const { text } = state;
  if (text === searched) return;
  const [body] = text.trim() ? await ask(`/review/matches?text=${encodeURIComponent(text)}`) : [{}];
  searched = text;
  matching = body.findings ? new Set(body.findings.map(find)) : null;
}

const KEYS = {
  strength: row => [row.number],
  question: row => [ranks.question.get(row.question) ?? 0],
  verdict: row => [ranks.verdict.indexOf(row.verdict)],
  author: row => row.authors.map(name => ranks.author.get(name)).sort((one, other) => one - other),
  time: row => [row.time],
  decision: row => [ranks.decision.indexOf(row.decision)],
};

function compare(one, other) {
  const n = one.findIndex((value, k) => value !== other[k]);
  return n < 0 ? 0 : one[n] < other[n] ? -1 : 1;
}

/** Put the rows into the order of a column; equal ones are in the order of their strength. */
function sort() {
  if (state.sort === sorted && !state.sort.endsWith("decision")) return;
  sorted = state.sort;
  const sign = sorted.startsWith("-") ? -1 : 1, column = sorted.replace("-", "");
  const keyed = byNumber.map(row => [KEYS[column](row), row]);
  keyed.sort(([one], [other]) => sign * compare(one, other));
  rows.splice(0, rows.length, ...keyed.map(([, row]) => row));
  if (column === "time") rows.sort((one, other) => Boolean(other.time) - Boolean(one.time)); // unknown ones last
  body.append(...rows.map(row => row.tr));
  for (const head of document.querySelectorAll("[data-column]")) {
    if (head.dataset.column !== column) head.removeAttribute("aria-sort");
    else head.setAttribute("aria-sort", (sign < 0) !== (column === "strength") ? "descending" : "ascending"); // "strength" is the strongest first
  }
}

/** List the rows that pass the filters, and count them; what isn't listed is ticked no more. */
export function filter() {
  sort();
  for (const row of rows) {
    const hidden = !passes(row);
    if (row.tr.hidden !== hidden) row.tr.hidden = hidden;
    if (hidden) row.box.checked = false;
  }
  listedRows = rows.filter(row => !row.tr.hidden);
  const counts = new Map();
  for (const row of rows) if (passes(row, "verdict")) counts.set(row.verdict, (counts.get(row.verdict) ?? 0) + 1);
  for (const button of document.querySelectorAll("#filters [data-verdict]")) {
    button.querySelector("[data-count]").textContent = counts.get(button.dataset.verdict) ?? 0;
  }
  by("none").hidden = listedRows.length > 0;
  by("listed").textContent = listedRows.length;
}

// -- decisions ------------------------------------------------------------------------------------

const WORDS = new Map([...document.querySelectorAll("#filters [data-show]")].map(one => [one.dataset.show, one.firstChild.textContent.trim()]));

/** Show what was decided about a finding. */
export function setDecision(row, decision) {
  row.decision = decision;
  row.tr.dataset.decision = decision;
  row.tr.cells[6].textContent = WORDS.get(decision);
}

/** Count the decisions about all findings. */
export function countDecisions() {
  const counts = Object.fromEntries([...WORDS.keys()].map(decision => [decision, 0]));
  for (const row of rows) counts[row.decision] += 1;
  for (const [decision, count] of Object.entries(counts)) document.querySelector(`[data-count="${decision}"]`).textContent = count;
  by("progress").value = by("decided").textContent = counts.confirmed + counts.dismissed;
  by("to-ask").hidden = !counts.asked;
  by("to-ask").firstElementChild.textContent = counts.asked;
}

// -- ticks ----------------------------------------------------------------------------------------

let lastTicked = null;

/** Return the rows that are ticked. */
export const ticked = () => listedRows.filter(row => row.box.checked);

/** Tick a row, or with `range` all from the one that was ticked last, or take the ticks back. */
export function tick(row, isTicked, range = false) {
  const ends = [listedRows.indexOf(lastTicked), listedRows.indexOf(row)].sort((one, other) => one - other);
  const these = range && ends[0] >= 0 ? listedRows.slice(ends[0], ends[1] + 1) : [row];
  for (const one of these) one.box.checked = isTicked;
  lastTicked = row;
}

/** Take the ticks of rows back that were decided; a range doesn’t begin at one of them. */
export function untick(these) {
  for (const row of these) row.box.checked = false;
  if (these.includes(lastTicked)) lastTicked = null;
}

/** Tick all rows that are listed, or none. */
export function tickAll(isTicked) {
  for (const row of listedRows) row.box.checked = isTicked;
}

// -- the finding that is shown --------------------------------------------------------------------

let current = null;

/** Mark the row of the finding that is shown, and scroll the table to it. */
export function markCurrent(row) {
  if (current) {
    current.tr.removeAttribute("aria-current");
    current.link.tabIndex = current.box.tabIndex = -1;
  }
  current = row ?? null;
  if (!row) return;
  row.tr.setAttribute("aria-current", "true");
  row.link.tabIndex = row.box.tabIndex = 0;
  const pane = body.closest(".rows"), head = by("rows").tHead.offsetHeight;
  const top = row.tr.offsetTop - head, bottom = row.tr.offsetTop + row.tr.offsetHeight - pane.clientHeight;
  if (pane.scrollTop > top || pane.scrollTop < bottom) pane.scrollTop = Math.min(top, bottom + pane.clientHeight / 3);
}
