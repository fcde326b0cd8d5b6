// The finding that is shown: it is fetched from the server, and the next one ahead.
import { by, piece } from "../common.js";
import { state, write } from "./address.js";
import { listed, markCurrent, rows as all } from "./table.js";

const address = row => `/review/finding?left=${encodeURIComponent(row.left)}&right=${encodeURIComponent(row.right)}`;
const ahead = new Map(); // address of a finding that was fetched ahead -> promise of its nodes
let shown = null;

/** Return the row of the finding that is shown; null for none. */
export const here = () => shown;

/** Take over the finding that the server wrote into the page. */
export function begin() {
  shown = all.find(row => row.tr.hasAttribute("aria-current")) ?? null;
  arrive();
}

function arrive() {
  const rows = listed(), at = rows.indexOf(shown);
  by("place").textContent = shown ? `${at < 0 ? "–" : at + 1} of ${rows.length}` : "";
  markCurrent(shown);
  fetchAhead(rows[at + 1]);
}

/** Fetch a finding before it is asked for. */
function fetchAhead(row) {
  ahead.clear();
  if (!row) return;
  const nodes = piece(address(row));
  nodes.catch(() => ahead.delete(address(row))); // it is asked for again when it is needed
  ahead.set(address(row), nodes);
}

/** Say where the finding is in the list, which has changed. */
export const replace = arrive;

/** Show a finding; keys act on the one that is visible, so `here` changes only once it is there.
    With `push` null the address stays as it is. */
export async function show(row, { push = false, scroll = true } = {}) {
  const nodes = row ? await (ahead.get(address(row)) ?? piece(address(row))) : [];
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

/** Return the next finding to decide: from a place in the list to the end, then from the top. */
export function following(at) {
  const rows = listed(), after = [...rows.slice(at), ...rows.slice(0, at)];
  return after.find(row => row.decision === "open") ?? null;
}
