// What is above the cards: references, scale, progress, the buttons' states.
import { by, make, readAs } from "../common.js";
import { counted, describeScale, hasNumbers, page, suggestion } from "./state.js";

function drawReferences() {
  if (by("references").childElementCount === page.references.length) return;
  by("references").replaceChildren(...page.references.map(({ text, locale }) => {
    const box = make("details", { class: "card reference" }, make("summary", {}, "Reference answer"), make("p", readAs(locale), text));
    box.open = text.length < 400;
    return box;
  }));
}

function drawProgress() {
  const ids = [...page.answers.keys()], graded = page.progress.graded;
  const suggested = ids.filter(suggestion).length, unread = ids.length - graded - suggested;
  const [first, second] = by("stack").children;
  first.setAttribute("width", ids.length ? 100 * graded / ids.length : 0);
  second.setAttribute("x", ids.length ? 100 * graded / ids.length : 0);
  second.setAttribute("width", ids.length ? 100 * suggested / ids.length : 0);
  const blank = [...page.answers.values()].filter(one => !one.mark && !one.text.trim()).length;
  const words = `${graded} of ${counted(ids.length, "answer")} graded · ${suggested} suggested · ${unread - blank} to be read${blank ? ` · ${blank} blank` : ""}`;
  if (by("progress").textContent !== words) by("progress").textContent = words;
  by("finished").hidden = graded < ids.length || !ids.length;
  const reason = page.message ?? (graded ? "the marks are still being learned from" : "mark some answers first");
  const outlook = page.promise || (suggested ? "" : `Nothing is suggested yet: ${reason || "no mark is likely enough"}.`);
  by("promise").hidden = !outlook || !by("finished").hidden;
  by("promise").textContent = outlook;
  by("accept-all").hidden = !suggested;
  by("accept-all").textContent = `Accept all suggestions (${suggested}) …`;
}

/** Fill a list of proposals for a field. */
const options = (id, values) => by(id).replaceChildren(...values.map(value => make("option", { value })));

/** Draw all of it. */
export function drawHeader() {
  const { scale, mark_column, comment_column, level, levels } = page.settings;
  by("prompt").textContent = page.text;
  by("prompt").lang = page.locale.language;
  by("prompt").dir = page.locale.direction;
  by("prompt").hidden = !page.text;
  drawReferences();
  const rubric = page.settings.rubric.length ? ` · rubric of ${counted(page.settings.rubric.length, "item")}` : "";
  by("scale").textContent = `Marks: ${describeScale()} · in the column ${mark_column}, comments in ${comment_column}${rubric}${by("by").value.trim() && ` · marking as ${by("by").value.trim()}`}`;
  by("settings").hidden = false;
  drawProgress();
  for (const which of ["undo", "redo"]) {
    by(which).disabled = !page[which];
    by(which).title = page[which] ?? "";
  }
  by("level").max = levels - 1;
  if (by("level") !== document.activeElement) by("level").value = level;
  options("comments", page.comments ?? []);
  options("mark-labels", hasNumbers() ? [] : scale.labels ?? []);
  by("chosen").hidden = !page.ticked.size;
  by("chosen-count").textContent = `${counted(page.ticked.size, "answer")} ticked`;
}
