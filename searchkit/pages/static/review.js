// The queue: one finding at a time, by keys. A decision counts when the server has said so.
import { by, send, toast } from "./common.js";

const store = by("queue");
const queue = JSON.parse(store.textContent);
const shown = store.dataset.show; // open, confirmed, dismissed or all
let at = Number(store.dataset.at);
const made = []; // numbers of the decisions of this visit, for undo
let busy = false;

const stays = one => shown === "all" || one.decision === shown;

function address(one) {
  return `left=${encodeURIComponent(one.left)}&right=${encodeURIComponent(one.right)}`;
}

async function show(n) {
  at = n;
  const one = queue[at];
  const left = queue.filter(stays).length;
  by("nothing").hidden = Boolean(one && left) || !queue.length;
  if (!one || !left) {
    by("finding").replaceChildren();
    by("place").textContent = "";
    return;
  }
  const response = await fetch(`/review/finding?${address(one)}`);
  const found = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!response.ok) {
    toast(found.querySelector(".notice")?.textContent || "That didn’t work.", true);
    return;
  }
  by("finding").replaceChildren(...found.body.childNodes);
  by("place").textContent = `${at + 1} of ${queue.length}`;
  history.replaceState(null, "", `/review?show=${shown}&${address(one)}`);
  scrollTo({ top: by("place").getBoundingClientRect().top + scrollY - 80 });
}

function step(by_) {
  // What has left this list is passed over, but for the last one decided.
  for (let n = at + by_; n >= 0 && n < queue.length; n += by_) {
    if (stays(queue[n])) return show(n);
  }
  return queue.some(stays) ? undefined : show(queue.length);
}

function count(from, to) {
  for (const [key, change] of [[from, -1], [to, 1]]) {
    const box = document.querySelector(`[data-count="${key}"]`);
    if (box) box.textContent = Number(box.textContent) + change;
  }
  const decided = ["confirmed", "dismissed"]
    .map(key => Number(document.querySelector(`[data-count="${key}"]`).textContent))
    .reduce((sum, one) => sum + one);
  by("decided").textContent = decided;
  by("progress").value = decided;
}

async function exclusively(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
  } catch (error) {
    toast(error.message, true);
  } finally {
    busy = false;
  }
}

const decide = (decision, reason = "") => exclusively(async () => {
  const one = queue[at];
  if (!one) return;
  const body = { left: one.left, right: one.right, decision, reason };
  const [kept] = await send("POST", "/api/decisions", body);
  made.push({ number: kept.number, n: at, before: one.decision });
  count(one.decision, decision);
  one.decision = decision;
  toast(`${decision === "open" ? "Open again" : decision}: ${one.left} and ${one.right}`);
  const next = queue.findIndex((other, n) => n > at && stays(other));
  await show(decision === "open" ? at : next >= 0 ? next : queue.findIndex(stays) >= 0 && shown !== "all" ? queue.findIndex(stays) : stays(one) ? at : queue.length);
});

const undo = () => exclusively(async () => {
  const last = made.at(-1);
  const [said] = await send("DELETE", "/api/decisions" + (last ? `?number=${last.number}` : ""));
  made.pop();
  if (!said.taken_back) return toast("There is nothing to take back.");
  toast("Taken back.");
  if (!last) return location.reload();
  count(queue[last.n].decision, last.before);
  queue[last.n].decision = last.before;
  await show(last.n);
});

function dismiss() {
  if (!queue[at] || at >= queue.length) return;
  const dialog = by("dismiss");
  by("field-reason").value = "";
  dialog.returnValue = "cancel";
  dialog.showModal();
  by("field-reason").focus();
}

by("dismiss").addEventListener("close", () => {
  if (by("dismiss").returnValue === "save") decide("dismissed", by("field-reason").value);
});
for (const button of document.querySelectorAll("[data-reason]")) {
  button.addEventListener("click", () => {
    by("field-reason").value = button.dataset.reason;
    by("field-reason").focus();
  });
}
by("before").addEventListener("click", () => step(-1));
by("next").addEventListener("click", () => step(1));
by("undo").addEventListener("click", undo);
by("finding").addEventListener("click", event => {
  const kind = event.target.closest("[data-decide]")?.dataset.decide;
  if (kind === "dismissed") dismiss();
  else if (kind) decide(kind);
});

addEventListener("keydown", event => {
  const typing = event.target.closest("input, textarea, select, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || by("dismiss").open) return;
  const act = { j: () => step(1), k: () => step(-1), c: () => decide("confirmed"), d: dismiss, u: undo };
  if (!(event.key in act)) return;
  event.preventDefault();
  act[event.key]();
});
