// The review queue: one finding at a time, by keyboard. A decision counts once the server has stored it.
import { by, namesHidden, piece, send, toast } from "./common.js";

const store = by("queue");
const queue = JSON.parse(store.textContent);
const shown = store.dataset.show; // open, asked, confirmed, dismissed or all
let at = Number(store.dataset.at);
const decisions = []; // decisions of this visit, for undo
const LABELS = { confirmed: "Confirmed", asked: "To be asked", dismissed: "Dismissed", open: "Open again" };
let busy = null; // promise of the action that is running

const stays = one => shown === "all" || one.decision === shown;

function address(one) {
  return `left=${encodeURIComponent(one.left)}&right=${encodeURIComponent(one.right)}`;
}

/** Show a finding. Keys act on the visible finding, so `at` changes only once the new one is there. */
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
    if (stays(queue[n])) return show(n); // skip findings that no longer belong to this list
  }
});

/** Return the index of the next finding to decide: from here to the end, then from the top. */
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

/** Run one action at a time; actions requested meanwhile are dropped, as they concern an outdated view. */
async function exclusively(work) {
  if (busy) return;
  busy = work().catch(error => toast(error.message, true));
  await busy;
  busy = null;
}

const decide = (decision, reason = "") => exclusively(async () => {
  const one = queue[at];
  if (!one) return;
  const body = { left: one.left, right: one.right, decision, reason };
  const [stored] = await send("POST", "/api/decisions", body);
  decisions.push({ number: stored.number, n: at, before: one.decision });
  count(one.decision, decision);
  one.decision = decision;
  toast(namesHidden ? LABELS[decision] : `${LABELS[decision]}: ${one.left} and ${one.right}`);
  await show(decision === "open" && stays(one) ? at : following());
});

const takeBack = () => exclusively(async () => {
  const last = decisions.at(-1);
  const [body] = await send("DELETE", "/api/decisions" + (last ? `?number=${last.number}` : ""));
  decisions.pop();
  if (!body.taken_back) return toast("There is no decision to undo.");
  toast("Decision undone.");
  if (!last) return location.assign(`/review?show=${shown === "all" ? "all" : "open"}&${address(body.taken_back)}`);
  count(queue[last.n].decision, last.before);
  queue[last.n].decision = last.before;
  await show(last.n);
});

/** Undo the last decision; wait first for one that is being sent, as it may be the one to undo. */
async function undo() {
  while (busy) await busy;
  await takeBack();
}

function dismiss() {
  if (busy || !queue[at]) return;
  by("field-reason").value = "";
  by("dismiss").showModal();
  by("field-reason").focus();
}

by("dismiss").addEventListener("submit", event => {
  if (event.submitter.value === "save") decide("dismissed", by("field-reason").value);
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
  const dialog = by("dismiss"); // once closed, it may keep the focus until the next frame is drawn
  const typing = dialog.open || (!dialog.contains(event.target) && event.target.closest("input, textarea, select"));
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = { j: () => step(1), k: () => step(-1), c: () => decide("confirmed"), d: dismiss, u: undo };
  if (!Object.hasOwn(act, event.key)) return;
  event.preventDefault();
  if (event.repeat && !"jk".includes(event.key)) return; // a key held down decides once
  act[event.key]();
});
