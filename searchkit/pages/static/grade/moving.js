// Where the teacher is: a group or an answer has the focus, and the keys act on it.
import { by } from "../common.js";
import { drawCards } from "./cards.js";
import { alone, answer, groupOf, page, successor } from "./state.js";

const items = () => [...document.querySelectorAll("[data-item]")].filter(item => item.checkVisibility());

/** Return the item with a name; undefined if it isn't shown. */
export const find = name => items().find(item => item.dataset.item === name);
let last = ""; // the item that had the focus last

document.addEventListener("focusin", event => {
  const item = event.target.closest("[data-item]");
  if (!item) return;
  last = item.dataset.item;
  for (const one of document.querySelectorAll(".here")) if (one !== item) one.classList.remove("here");
  item.classList.add("here");
});

/** Return the item that has the focus, or had it last; undefined if there is none. */
export function here() {
  return document.activeElement.closest("[data-item]") ?? find(last);
}

/** Draw all cards; where the group that had the focus got another key, the focus goes with it. */
export function redraw() {
  const held = here();
  drawCards();
  if (!held || held.isConnected || find(last)) return;
  const group = held.group ? successor(held.group) : groupOf(held.ids[0]);
  last = group ? `g:${group.key}` : `a:${held.ids[0]}`;
  if (document.activeElement === document.body) go(find(last));
}

/** Move the focus to an item, and show it. */
export function go(item) {
  if (!item) return;
  item.focus({ preventScroll: true });
  const { top, bottom } = item.getBoundingClientRect(), bar = document.querySelector(".bar").getBoundingClientRect().bottom;
  if (top < bar + 8 || bottom > innerHeight - 8) scrollBy({ top: top - bar - 12, behavior: "instant" });
}

/** Go to the next item, or to the one before. */
export function goBy(count) {
  const all = items(), at = all.indexOf(here());
  go(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + count))]);
}

/** Go on from an item that is done: from a group to the next card, not into its answers. */
export function goOn(item) {
  const all = items(), at = all.indexOf(item);
  go(all.slice(at + 1).find(one => !item.contains(one)) ?? item);
}

/** Go to an answer, and open its group. */
export function goToAnswer(id) {
  const group = groupOf(id);
  if (group && !page.open.has(group.key)) {
    page.open.add(group.key);
    drawCards();
  }
  go(find(`a:${id}`));
}

/** Go to the answer that the plan wants marked next; without a plan to the first without a mark. */
export function goToNext() {
  const held = here()?.ids ?? [], wanted = id => answer(id) && !answer(id).mark;
  const order = [...page.next, ...page.groups.flatMap(group => group.ids), ...alone()].filter(wanted);
  const id = order.find(one => held.length !== 1 || one !== held[0]) ?? order[0];
  if (id) return goToAnswer(id);
  by("finished").tabIndex = -1;
  by("finished").focus();
}
