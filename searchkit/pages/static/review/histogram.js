// The histogram of all pairs, or of those of the question, with a dot for each finding.
import { by, fragment, make } from "../common.js";
import { state } from "./address.js";
import { numbered } from "./table.js";

const box = by("histogram"), content = box.lastElementChild;
let drawn; // the question whose histogram is shown

/** Draw it, if it is open and another question is listed. After an error it is empty, and is asked for again. */
export async function drawHistogram() {
  const { question } = state;
  if (!box.open || drawn === question) return;
  drawn = question;
  if (!content.firstElementChild) content.replaceChildren(make("p", { class: "soft small" }, "Comparing all answers …"));
  try {
    const nodes = await fetchHistogram(question);
    if (drawn !== question) return;
    content.replaceChildren(...nodes);
  } catch (error) {
    if (drawn === question) {
      drawn = undefined;
      content.replaceChildren();
    }
    throw error;
  }
  for (const link of content.querySelectorAll("a")) link.setAttribute("tabindex", "-1"); // the table has them all
  markListed();
}

/** Fetch the histogram of a question; wait until the server has counted the pairs, as long as it is wanted. */
async function fetchHistogram(question) {
  const path = "/review/histogram" + (question === null ? "" : `?question=${encodeURIComponent(question)}`);
  for (;;) {
    const [nodes, status] = await fragment(path);
    if (status !== 202 || drawn !== question) return nodes;
    await new Promise(resolve => setTimeout(resolve, 300));
  }
}

/** Make the dots of findings that aren't listed pale. */
export function markListed() {
  for (const link of content.querySelectorAll("a")) {
    link.classList.toggle("pale", rowOf(link)?.tr.hidden ?? false);
  }
}

const rowOf = link => numbered(Number(link.getAttribute("href").replace("#row-", "")));

/** Return the row of the finding whose dot was clicked; undefined for a click beside them. */
export function clicked(event) {
  const link = event.target.closest("#histogram a");
  return link ? rowOf(link) : undefined;
}
