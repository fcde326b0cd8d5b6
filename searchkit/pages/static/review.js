// The queue: one finding at a time, by keys. A decision counts when the server has said so.
import { by, namesHidden, piece, send, toast } from "./common.js";

const store = by("queue");
const queue = JSON.parse(store.textContent);
const shown = store.dataset.show; // open, confirmed, dismissed or all
let at = Number(store.dataset.at);
const made = []; // numbers of the decisions of this visit, for undo
const SAID = { confirmed: "Confirmed", dismissed: "Dismissed", open: "Open again" };
let busy = false;

const stays = one => shown === "all" || one.decision === shown;

function address(one) {
  return `left=${encodeURIComponent(one.left)}&right=${encodeURIComponent(one.right)}`;
}

/** Show a finding. Keys are about what is seen: `at` changes when it is there. */
async function show(n) {
  const nodes = n < queue.length ? await piece(`/review/finding?${address(queue[n])}`) : [];
  const box = by("finding"), held = box.contains(document.activeElement);
  at = n;
  box.replaceChildren(...nodes);
  by("nothing").hidden = n < queue.length || !queue.length;
  const listed = queue.filter(stays);
  by("place").textContent = n < queue.length ? `${listed.indexOf(queue[n]) + 1} of ${listed.length}` : "";
  const title = box.querySelector("h2");
  by("seen").textContent = (title || by("nothing")).textContent.trim();
  history.replaceState(null, "", `/review?show=${shown}${title ? "&" + address(queue[n]) : ""}`);
  if (held) focus(title || by("next"));
  scrollTo({ top: by("place").getBoundingClientRect().top + scrollY - 80, behavior: "instant" });
}

function focus(element) {
  element.tabIndex = element.tabIndex < 0 ? -1 : element.tabIndex;
  element.focus({ preventScroll: true });
}

const step = by_ => exclusively(async () => {
  for (let n = at + by_; n >= 0 && n < queue.length; n += by_) {
    if (stays(queue[n])) return show(n); // what has left this list is passed over
  }
});

/** After a decision: the next one to decide about, from here to the end and then from the top. */
function following() {
  const wanted = shown === "all" ? one => one.decision === "open" : stays;
  for (let more = 1; more <= queue.length; more += 1) {
    const n = (at + more) % queue.length;
    if (wanted(queue[n])) return n;
  }
  return stays(queue[at]) ? at : queue.length;
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
  toast(namesHidden ? SAID[decision] : `${SAID[decision]}: ${one.left} and ${one.right}`);
  await show(decision === "open" && stays(one) ? at : following());
});

const undo = () => exclusively(async () => {
  const last = made.at(-1);
  const [said] = await send("DELETE", "/api/decisions" + (last ? `?number=${last.number}` : ""));
  made.pop();
  if (!said.taken_back) return toast("There is nothing to take back.");
  toast("Taken back.");
  if (!last) return location.assign(`/review?show=${shown === "all" ? "all" : "open"}&${address(said.taken_back)}`);
  count(queue[last.n].decision, last.before);
  queue[last.n].decision = last.before;
  await show(last.n);
});

function dismiss() {
  if (!queue[at]) return;
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
  if (!Object.hasOwn(act, event.key)) return;
  event.preventDefault();
  if (event.repeat && !"jk".includes(event.key)) return; // a key held down decides once
  act[event.key]();
});
