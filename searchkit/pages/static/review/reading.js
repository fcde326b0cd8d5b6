// The finding that is shown: it is fetched from the server, and the next one ahead.
import { by, piece } from "../common.js";
import { state, write } from "./address.js";
import { listed, markCurrent, rows as all } from "./table.js";

let ahead = null; // the row of the next finding and a promise of its nodes, which are fetched before they are asked for
let shown = null;

/** Return the row of the finding that is shown; null for none. */
export const here = () => shown;

/** Take over the finding that the server wrote into the page. */
export function begin() {
  shown = all.find(row => row.tr.hasAttribute("aria-current")) ?? null;
}

function arrive() {
  const rows = listed(), at = rows.indexOf(shown);
  by("place").textContent = shown ? `${at < 0 ? "–" : at + 1} of ${rows.length}` : "";
  markCurrent(shown);
  fetchAhead(rows[at + 1]);
}

const fetchFinding = row => piece(`/review/finding?left=${encodeURIComponent(row.left)}&right=${encodeURIComponent(row.right)}`);

/** Fetch a finding before it is asked for. */
function fetchAhead(row) {
  if (row && row === ahead?.row) return;
  ahead = row ? { row, nodes: fetchFinding(row) } : null;
  ahead?.nodes.catch(() => forgetAhead([row])); // it is asked for again when it is needed
}

/** Forget what was fetched ahead of findings: something else was decided about them. */
export function forgetAhead(these) {
  if (these.includes(ahead?.row)) ahead = null;
}

/** Say where the finding is in the list, which has changed. */
export const replace = arrive;

/** Show a finding: `here` changes once it is there, so that a decision is about the one that is visible.
    With `push` null the address stays as it is. */
export async function show(row, { push = false, scroll = true } = {}) {
  const nodes = row ? await (row === ahead?.row ? ahead.nodes : fetchFinding(row)) : [];
  const box = by("finding"), held = box.contains(document.activeElement);
  shown = row ?? null;
  box.replaceChildren(...nodes);
  const title = box.querySelector("h2");
  by("seen").textContent = title ? title.textContent.trim() : "No finding is left in this list.";
  by("none").hidden = listed().length > 0;
  state.pair = row ? [row.left, row.right] : null;
  if (push !== null) write({ push });
  arrive();
  if (held) focus(title ?? by("next"));
  if (scroll && row) scrollToFinding();
}

/** Scroll so that the finding begins at the top of the window. */
function scrollToFinding() {
  const { top } = by("reading").getBoundingClientRect();
  scrollTo({ top: Math.max(0, top + scrollY - 8), behavior: "instant" });
}

function focus(element) {
  element.tabIndex = element.tabIndex < 0 ? -1 : element.tabIndex;
  element.focus({ preventScroll: true });
}

/** Return the finding that is so many steps further in the list; undefined if there is none. */
export function neighbour(steps) {
  const rows = listed(), at = rows.indexOf(shown);
  return at < 0 ? rows[0] : rows[at + steps];
}

/** Return the next finding to decide: from a place in the list to the end, then from the top; null if none is open. */
export function following(at) {
  const rows = listed(), after = [...rows.slice(at), ...rows.slice(0, at)];
  return after.find(row => row.decision === "open") ?? null;
}

/** Return the finding with which a list begins: the first open one, or else the first; undefined if it is empty. */
export const first = () => following(0) ?? listed()[0];
