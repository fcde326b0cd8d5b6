// Follows what the server computes: elements with data-job tell how far it is, without loading the page again.
// data-then="load" goes to the result when it is there; otherwise a link offers what is new.
import { ask } from "./common.js";

const FIRST = 150, EVERY = 1000; // milliseconds between two looks: few at first, as most jobs are short

const part = (box, name) => box.querySelector(`[data-job-${name}]`);

function show(box, name, text) {
  const element = part(box, name);
  if (!element) return;
  if (text !== undefined) element.textContent = text;
  element.hidden = false;
}

function load(box) {
  location.replace(location.href);
  setTimeout(() => { // still here: the result was a file
    part(box, "waits").hidden = true;
    show(box, "done");
  }, 3000);
}

function update(box, job) {
  const bar = box.querySelector("progress");
  if (bar) {
    bar.max = job.total || 1;
    bar.value = job.state === "done" ? bar.max : job.done;
  }
  const label = box.querySelector("[data-job-text], .label");
  if (label && job.text && label.textContent !== job.text) label.textContent = job.text;
  const more = (job.findings ?? 0) - Number(box.dataset.shown ?? 0);
  if (more > 0) show(box, "new", more === 1 ? "Show 1 new finding" : `Show ${more.toLocaleString("en")} new findings`);
}

function finish(box, job) {
  if (job.state === "failed") return show(box, "error", job.error);
  if (box.dataset.then === "load") return load(box);
  const label = part(box, "text");
  if (label) label.textContent = "done";
  if (part(box, "new")?.hidden) show(box, "new", box.dataset.offer);
}

async function follow(box) {
  for (let pause = FIRST; ; pause = Math.min(EVERY, 1.5 * pause)) {
    try {
      const [job] = await ask(`/api/jobs/${box.dataset.job}`);
      update(box, job);
      if (job.state !== "running") return finish(box, job);
    } catch (error) {
      if (error.status === 404) { // answers have come in, and it is computed anew
        return box.dataset.then === "load" ? load(box) : show(box, "new", "Answers have come in: show the page as it is now");
      }
      show(box, "error", error.message);
    }
    await new Promise(resolve => setTimeout(resolve, pause));
  }
}

for (const box of document.querySelectorAll("[data-job]")) follow(box);
