// Decisions: about the finding that is shown, or about all that are ticked. A decision counts once the
// server has stored it.
import { by, send, toast } from "../common.js";
import { forgetNote, note } from "./notes.js";
import { following, forgetAhead, here, replace, show } from "./reading.js";
import { countDecisions, filter, find, listed, setDecision, tick, ticked, untick } from "./table.js";

const LABELS = { confirmed: "Confirmed", asked: "To be asked", dismissed: "Dismissed", open: "Open again" };
const KEY = `decided in ${document.querySelector(".brand").textContent} at ${location.host}`; // in this tab, for undo
const decided = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");

const remember = () => sessionStorage.setItem(KEY, JSON.stringify(decided.slice(-200)));

/** Draw the bar: what the buttons decide about. */
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

/** Decide about what is ticked, or else about the finding that is shown. */
export async function decide(decision) {
  const several = ticked(), shown = here(), these = several.length ? several : shown ? [shown] : [];
  if (!these.length) return;
  const at = listed().indexOf(these[0]);
  const pairs = these.map(({ left, right }) => [left, right]);
  const [{ decisions }] = await send("POST", "/api/decisions/group", { pairs, decision, reason: note() });
  const numbers = decisions.map(one => one.number);
  decided.push({ first: Math.min(...numbers), last: Math.max(...numbers), before: these.map(row => [row.left, row.right, row.decision]) });
  remember();
  for (const row of these) setDecision(row, decision);
  untick(these); // and not what was ticked meanwhile
  forgetAhead(these);
  toast(these.length > 1 ? `${LABELS[decision]}: ${these.length} findings` : `${LABELS[decision]}: ${these[0].authors.join(" and ")}`);
  await goOn(these, at, decision);
  forgetNote(shown); // not before: where the next finding can’t be fetched, this one is still shown and may be decided again
}

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

/** Undo the last decision. */
export async function undo() {
  const last = decided.at(-1);
  const range = last ? `?number=${last.first}&through=${last.last}` : "";
  const [body] = await send("DELETE", "/api/decisions" + range).catch(error => {
    if (error.status === 404) forgetLast(); // somebody else took it back
    throw error;
  });
  forgetLast();
  if (!body.taken_back) return toast("There is no decision to undo.");
  const before = last?.before ?? [], rows = before.map(pair => find(pair.slice(0, 2)));
  const { left, right } = body.taken_back, row = rows[0] ?? find([left, right]) ?? find([right, left]);
  if (!last || rows.includes(undefined)) { // of an earlier visit, or with names hidden or shown: the server alone knows what was decided before
    return location.assign(row ? `/review?left=${encodeURIComponent(row.left)}&right=${encodeURIComponent(row.right)}` : "/review");
  }
  toast(before.length > 1 ? `${before.length} decisions undone.` : "Decision undone.");
  rows.forEach((one, n) => setDecision(one, before[n][2]));
  forgetAhead(rows);
  countDecisions();
  filter();
  await show(row);
}

/** Tick the finding that is shown, or take its tick back. */
export function tickHere() {
  const row = here();
  if (row && listed().includes(row)) tick(row, !row.box.checked);
}
