// What the grading page shows, and what follows from it: lookups, counts, and what a mark may be.
import { by } from "../common.js";

/** Settings, groups and progress as `GET /api/grading` gives them, and what the page adds. */
export const page = {
  text: "",
  locale: { language: "", direction: "auto" }, // of the text
  question: JSON.parse(by("grading").textContent).question,
  settings: null,
  groups: [],
  progress: {},
  references: [],
  answers: new Map(), // by id, in the question's order
  suggestions: {}, // by id, as are those of ticks
  ticks: {},
  conflicts: [],
  next: [],
  open: new Set(), // keys of groups whose answers are shown
  ticked: new Set(), // ids
};

/** Take over what the server returned: everything, or what a change has changed. */
export function update(body) {
  const opened = page.groups.filter(group => page.open.has(group.key));
  if (body.question) {
    page.text = body.question.text;
    page.locale = body.question.locale;
    page.answers.clear();
  }
  for (const answer of body.answers) page.answers.set(answer.id, answer);
  for (const name of ["settings", "groups", "progress", "references", "comments", "undo", "redo"]) {
    if (name in body) page[name] = body[name];
  }
  page.open = new Set(opened.map(successor).filter(Boolean).map(group => group.key));
  page.ticked = new Set([...page.ticked].filter(id => page.answers.has(id)));
}

/** Return what became of a group: the one with its key, or else with most of its answers. */
export function successor({ key, ids }) {
  const shared = group => group.ids.filter(id => ids.includes(id)).length;
  const most = () => page.groups.reduce((best, group) => (shared(group) > (best ? shared(best) : 0) ? group : best), undefined);
  return page.groups.find(group => group.key === key) ?? most();
}

export const answer = id => page.answers.get(id);

/** Return the answers that are in no group. */
export function alone() {
  const grouped = new Set(page.groups.flatMap(group => group.ids));
  return [...page.answers.keys()].filter(id => !grouped.has(id));
}

/** Return the group of an answer; undefined if it stands alone. */
export const groupOf = id => page.groups.find(group => group.ids.includes(id));

export const groupName = key => page.groups.find(group => group.key === key)?.name ?? "";

/** Return the ids of answers that came later and are proposed to a group. */
export const proposedTo = key => [...page.answers.values()].filter(one => one.proposed === key).map(one => one.id);

// -- marks ----------------------------------------------------------------------------------------

export const hasNumbers = () => page.settings.scale.kind === "numbers";

/** Return a mark as it is counted: 7.0 and 7 are one. */
const plain = mark => (hasNumbers() && Number.isFinite(Number(mark)) ? String(Number(mark)) : mark);

/** Describe the scale in words. */
export function describeScale() {
  const { low, high, step, unit, labels } = page.settings.scale;
  if (!hasNumbers()) return labels.join(", ");
  return `${low} to ${high}${unit ? ` ${unit}` : ""}${step ? ` in steps of ${step}` : ""}`;
}

/** Return why a text is no mark; empty if it is one, or if only the server knows (“7/10”). */
export function problemOf(text) {
  const typed = text.trim(), problem = `“${typed}” isn’t on the scale: ${describeScale()}`;
  const { low, high, step, labels } = page.settings.scale;
  if (!hasNumbers()) return labels.some(label => label.toLowerCase() === typed.toLowerCase()) ? "" : problem;
  if (/[/%]/.test(typed)) return "";
  const number = /\d/.test(typed) ? Number(typed.replace(",", ".")) : NaN, steps = step ? (number - low) / step : 0;
  return number >= low && number <= high && Math.abs(steps - Math.round(steps)) < 1e-6 ? "" : problem;
}

/** Return how often each mark occurs, in the scale's order: [mark, count] pairs. */
export function tally(marks) {
  const counts = new Map();
  for (const mark of marks) counts.set(mark, (counts.get(mark) ?? 0) + 1);
  const labels = page.settings.scale.labels ?? [];
  const place = mark => (hasNumbers() ? Number(mark) : labels.indexOf(mark));
  return [...counts].sort((a, b) => place(a[0]) - place(b[0]));
}

/** Return the marks that answers have and those suggested for the others, and how many have neither. */
export function distribution(ids) {
  const known = ids.filter(id => answer(id).mark).map(id => plain(answer(id).mark));
  const suggested = ids.filter(id => suggestion(id)).map(id => plain(suggestion(id).mark));
  return { known: tally(known), suggested: tally(suggested), unread: ids.length - known.length - suggested.length };
}

/** Return the suggestion for an answer without a mark; undefined if there is none. */
export const suggestion = id => (answer(id).mark ? undefined : page.suggestions[id]?.mark == null ? undefined : page.suggestions[id]);

/** Return the suggested marks of those answers that have none, by id. */
export const suggestedMarks = ids =>
  Object.fromEntries(ids.filter(suggestion).map(id => [id, suggestion(id).mark]));

/** Return the marks of a tally in words: “7 (3), 8”. */
export const inWords = counts => counts.map(([mark, count]) => (count > 1 ? `${mark} (${count})` : mark)).join(", ");

/** Return a tally as a range: “7”, or “7 to 8”; labels are listed. */
export function asRange(counts) {
  const marks = counts.map(([mark]) => mark);
  return marks.length > 1 && hasNumbers() ? `${marks[0]} to ${marks.at(-1)}` : marks.join(", ");
}

/** Return the conflict in a group, and those of answers that say the same as one of these. */
export const conflictIn = key => page.conflicts.find(({ kind, group }) => kind === "group" && group === key);
export const contradicted = id => page.conflicts.find(({ kind, ids }) => kind === "same" && ids.includes(id));

export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
