// The note field: what is typed belongs to a finding, and is kept until a decision stores it.
import { by } from "../common.js";
import { here } from "./reading.js";

const field = by("note");
const drafts = new Map(); // row, or an action that leads to one -> what was typed about it and not yet stored
let next = null; // the last action that leads to another finding, while it waits or runs: the field is about that one

field.addEventListener("input", keepNote);

/** Keep what is in the field. */
export function keepNote() {
  const about = next ?? here();
  if (about) drafts.set(about, field.value);
}

/** Return the note about the finding that is shown: what was typed, or what is stored. */
export const note = () => drafts.get(here()) ?? by("finding").querySelector("[data-note]")?.textContent ?? "";

/** Show the note about the finding that is shown, unless the field is about the next one. */
export function drawNote() {
  if (!next) field.value = note();
}

/** Forget what was typed about a finding: it is stored. */
export const forgetNote = row => drafts.delete(row);

/** Run an action that leads to another finding: the field is emptied, and what is typed from now on is about that one. */
export async function leadOn(action) {
  next = action;
  field.value = "";
  try {
    await action();
  } finally {
    const typed = drafts.get(action);
    drafts.delete(action);
    if (typed && here()) drafts.set(here(), [drafts.get(here()), typed].filter(Boolean).join(" ")); // nothing is lost if it led nowhere
    if (next === action) next = null;
    drawNote();
  }
}
