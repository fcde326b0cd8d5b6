// Changes go to the server one after another; the page shows what the server has stored.
import { by, send, toast, whenDone } from "../common.js";
import { askToOverwrite } from "./dialogs.js";
import { drawHeader } from "./header.js";
import { redraw } from "./moving.js";
import { page, update } from "./state.js";

const PAUSE = 1500; // milliseconds after the last change until suggestions are computed anew
const name = () => by("by").value.trim();
let last = Promise.resolve();
let timer = null;

/** Draw all that has changed. */
export function draw() {
  drawHeader();
  redraw();
}

/** Run work after all that was begun before; show what fails. */
export function inTurn(work) {
  last = last.then(work).catch(error => toast(error.message, true));
  return last;
}

/** Fetch everything; at a level of the slider, or at that which is kept. */
export const fetchAll = (level = null) =>
  whenDone(`/api/grading?question=${encodeURIComponent(page.question)}${level === null ? "" : `&level=${level}`}`);

async function take(body) {
  update(body);
  if (page.progress.answers !== page.answers.size) update(await fetchAll()); // answers came or went
  draw();
  clearTimeout(timer);
  timer = setTimeout(suggest, PAUSE);
}

/**
 * Send a change and draw its result; ask first where it overwrites.
 *
 * Return whether it was stored. What the server refuses is thrown, with its status.
 */
async function sendChange(action, overwrite = false) {
  try {
    const [body] = await send("POST", "/api/grading/changes", { question: page.question, by: name(), overwrite, action });
    await take(body);
    return true;
  } catch (error) {
    if (error.status !== 409 || !error.body.overwrites) throw error;
    const { overwrites } = error.body, chosen = await askToOverwrite(overwrites, action.ids?.length ?? overwrites.length);
    if (!chosen) return false;
    if (chosen === "all") return sendChange(action, true);
    const held = new Set(overwrites.map(one => one.id));
    return sendChange({ ...action, ids: action.ids.filter(id => !held.has(id)) });
  }
}

/** Send a change in turn; return whether it was stored. A refused value is given to `refused`. */
export async function change(action, refused = null) {
  let stored = false;
  await inTurn(async () => {
    try {
      stored = await sendChange(action);
    } catch (error) {
      if (refused && error.status === 422) return refused(error.message);
      throw error;
    }
  });
  return stored;
}

/** Undo or redo the last change. */
export const step = which => inTurn(async () => {
  const what = page[which];
  if (!what) return toast(`There is nothing to ${which}.`);
  const [body] = await send("POST", `/api/grading/${which}`, { question: page.question, by: name() });
  await take(body);
  toast(`${which === "undo" ? "Undone" : "Done again"}: ${what}.${body.note ? ` ${body.note}` : ""}`);
});

/** Fetch the groups at a level of the slider, without keeping it. */
export const look = level => inTurn(async () => take(await fetchAll(level)));

/** Fetch the suggestions for the marks of now, and what to mark next. */
export async function suggest() {
  try {
    const found = await whenDone(`/api/grading/suggestions?question=${encodeURIComponent(page.question)}`);
    for (const name of ["suggestions", "ticks", "conflicts", "next", "promise", "message"]) page[name] = found[name];
    draw();
  } catch (error) {
    toast(error.message, true);
  }
}
