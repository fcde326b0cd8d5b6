// Sort a list without loading the page anew, and fill in what is still being computed.
import { by, piece, toast } from "../common.js";

const FIRST_DELAY = 700, LONGEST_DELAY = 15_000; // milliseconds
let newest = 0;

/** Replace the live part of the page by that of an address, if it is the last one asked for. */
async function load(address) {
  const number = ++newest;
  const nodes = await piece(address);
  const fresh = nodes.map(node => node.querySelector?.("#live")).find(Boolean);
  if (!fresh || number !== newest) return;
  const focused = by("live").contains(document.activeElement) && document.activeElement.getAttribute("data-sort");
  by("live").replaceWith(fresh);
  if (focused) fresh.querySelector(`[data-sort="${focused}"]`)?.focus();
}

async function sort(address) {
  by("live").setAttribute("aria-busy", "true");
  try {
    await load(address);
  } catch (error) {
    by("live").removeAttribute("aria-busy");
    toast(error.message, true);
  }
}

async function fillIn() {
  for (let delay = FIRST_DELAY; by("live").hasAttribute("data-pending"); delay = Math.min(delay * 1.5, LONGEST_DELAY)) {
    await new Promise(resolve => setTimeout(resolve, delay));
    const active = document.activeElement;
    if (by("live").contains(active) && !active.hasAttribute("data-sort")) continue; // don't take the focus away
    await load(location.href).catch(() => {}); // the next try may find the server again
  }
}

document.addEventListener("click", event => {
  const head = event.target.closest("#live [data-sort]");
  if (!head || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  history.pushState(null, "", head.href);
  sort(head.href);
});
addEventListener("popstate", () => sort(location.href));
fillIn();
