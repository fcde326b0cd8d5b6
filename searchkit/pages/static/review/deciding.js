// Decisions: about the finding that is shown, or about all that are ticked. A decision counts once the
// server has stored it.
import { by, send, toast } from "../common.js";
import { following, here, replace, show } from "./reading.js";
import { countDecisions, filter, find, listed, setDecision, tick, ticked } from "./table.js";

const LABELS = { confirmed: "Confirmed", asked: "To be asked", dismissed: "Dismissed", open: "Open again" };
const KEY = `decided in ${document.querySelector(".brand").textContent} at ${location.host}`; // in this tab, for undo
const decided = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
const notes = new Map(); // row -> what was typed about it and not yet stored
let busy = null; // promise of the action that is running
let early = null; // what is typed while it runs: about the finding that it leads to

const remember = () => sessionStorage.setItem(KEY, JSON.stringify(decided.slice(-200)));

/** Run one action at a time; actions asked for meanwhile are dropped, as they concern an outdated view. */
export async function exclusively(work) {
  if (busy) return;
  busy = work().catch(error => toast(error.message, true));
  await busy;
  busy = null;
  if (early !== null && here()) notes.set(here(), early);
  early = null;
}

/** Run an action after the one that is running: one that doesn't depend on what is shown. */
export async function inTurn(work) {
  while (busy) await busy;
  await exclusively(work);
}

/** Draw the bar: what the buttons decide about, and the note of the finding that is shown. */
export function drawBar() {
  const these = ticked(), row = here(), several = these.length;
  for (const box of document.querySelectorAll(".several")) box.textContent = several ? `${several} ` : "";
  by("deciding").classList.toggle("for-several", several > 0);
  by("untick").hidden = !several;
  for (const button of document.querySelectorAll("[data-decide]")) {
    button.disabled = !several && !row;
    button.setAttribute("aria-pressed", String(!several && row?.decision === button.dataset.decide && row.decision !== "open"));
  }
  document.querySelector("[data-decide=open]").hidden = !(several ? these : [row]).some(one => one && one.decision !== "open");
  const all = listed();
  by("tick-all").checked = several > 0 && several === all.length;
  by("tick-all").indeterminate = several > 0 && several < all.length;
  by("before").disabled = by("next").disabled = !all.length;
}

/** Show the note about a finding: what was typed, or what is stored. */
export function drawNote() {
  const row = here();
  by("note").value = early ?? notes.get(row) ?? by("finding").querySelector("[data-note]")?.textContent ?? "";
}

by("note").addEventListener("input", () => {
  if (busy) early = by("note").value;
  else if (here()) notes.set(here(), by("note").value);
});

/** Decide about what is ticked, or else about the finding that is shown. */
export const decide = decision => exclusively(async () => {
  const several = ticked(), these = several.length ? several : here() ? [here()] : [];
  if (!these.length) return;
  const at = listed().indexOf(these[0]), reason = by("note").value;
  const pairs = these.map(({ left, right }) => [left, right]);
  const [{ decisions }] = await send("POST", "/api/decisions/group", { pairs, decision, reason });
  const numbers = decisions.map(one => one.number);
  decided.push({ first: Math.min(...numbers), last: Math.max(...numbers), before: these.map(row => [row.left, row.right, row.decision]) });
  remember();
  for (const row of these) {
    setDecision(row, decision);
    notes.delete(row);
    tick(row, false); // and not what was ticked meanwhile
  }
  notes.delete(here());
  toast(these.length > 1 ? `${LABELS[decision]}: ${these.length} findings` : `${LABELS[decision]}: ${these[0].authors.join(" and ")}`);
  await goOn(these, at, decision);
});

/** Go to the next finding that is to be decided; a finding that is open again stays. */
async function goOn(these, at, decision) {
  const isHere = these.includes(here());
  countDecisions();
  filter();
  const stays = decision === "open" && listed().includes(these[0]);
  const next = stays ? these[0] : following(Math.max(0, at)) ?? listed()[Math.min(Math.max(0, at), listed().length - 1)];
  if (isHere || !here()) await show(next);
  else replace();
}

function forgetLast() {
  decided.pop();
  remember();
}

/** Undo the last decision; wait first for one that is being sent, as it may be the one to undo. */
export const undo = () => inTurn(async () => {
  const last = decided.at(-1);
  const range = last ? `?number=${last.first}&through=${last.last}` : "";
  const [body] = await send("DELETE", "/api/decisions" + range).catch(error => {
    if (error.status === 404) forgetLast(); // somebody else took it back
    throw error;
  });
  forgetLast();
  if (!body.taken_back) return toast("There is no decision to undo.");
  const before = last?.before ?? [];
  toast(before.length > 1 ? `${before.length} decisions undone.` : "Decision undone.");
  const rows = before.map(([left, right, decision]) => {
    const row = find([left, right]);
    if (row) setDecision(row, decision);
    return row;
  });
  const { left, right } = body.taken_back, row = rows[0] ?? find([left, right]) ?? find([right, left]);
  if (!last) { // of an earlier visit: what was decided before is known to the server alone
    return location.assign(row ? `/review?left=${encodeURIComponent(row.left)}&right=${encodeURIComponent(row.right)}` : "/review");
  }
  countDecisions();
  filter();
  await show(row);
});

/** Tick the finding that is shown, or take its tick back, and go to the next one. */
export function tickHere() {
  const row = here();
  if (row && listed().includes(row)) tick(row, !row.box.checked);
}
