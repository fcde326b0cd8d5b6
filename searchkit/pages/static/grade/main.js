// The grading page: what buttons, forms and keys do.
import { by, toast } from "../common.js";
import { drawCards } from "./cards.js";
import { change, draw, fetchAll, look, step, suggest } from "./changes.js";
import { askForText, askToAccept, askWhereTo } from "./dialogs.js";
import { refuse } from "./forms.js";
import "./header.js";
import { find, go, goBy, goOn, goToNext, here } from "./moving.js";
import { hasUnsavedSettings } from "./settings.js";
import { answer, hasNumbers, page, problemOf, suggestedMarks, update } from "./state.js";

// -- marks, comments, rubric ----------------------------------------------------------------------

const isChanged = input => input.value.trim() !== input.defaultValue.trim();

/** Return the change that a mark field asks for; null for none, undefined if it is refused. */
function markChange(input, ids) {
  const typed = input.value.trim();
  if (!isChanged(input)) {
    const marks = typed ? {} : suggestedMarks(ids);
    return Object.keys(marks).length ? { kind: "accept", marks } : null;
  }
  if (!typed) return { kind: "mark", ids, mark: null };
  const problem = problemOf(typed);
  refuse(input, problem);
  return problem ? undefined : { kind: "mark", ids, mark: typed };
}

/** Save what is typed in a form, and go on. */
function save(form) {
  const { mark, comment } = form.elements, { ids } = form, item = form.closest("[data-item]");
  const first = markChange(mark, ids);
  if (first === undefined) return mark.select();
  const second = isChanged(comment) ? { kind: "comment", ids, comment: comment.value.trim() || null } : null;
  goOn(item);
  if (first) store(mark, first, item);
  if (second) store(comment, second, item);
}

/** Send the change of a field; if it is refused, go back to the field. */
async function store(input, action, item) {
  const { defaultValue, value } = input;
  input.defaultValue = value; // so that it isn't kept as typed and not saved when the card is drawn
  const isStored = await change(action, message => {
    const again = field(find(item.dataset.item), input.name);
    if (!again) return toast(message, true);
    again.value = value;
    again.select();
    refuse(again, message);
  });
  if (!isStored) input.defaultValue = defaultValue;
}

async function accept(item) {
  const marks = suggestedMarks(item.ids);
  if (!Object.keys(marks).length) return toast("Nothing is suggested here yet.");
  goOn(item);
  await change({ kind: "accept", marks });
}

document.addEventListener("submit", event => {
  if (!event.target.matches(".marking")) return;
  event.preventDefault();
  save(event.target);
});
document.addEventListener("input", event => event.target.matches("[aria-invalid]") && refuse(event.target));
document.addEventListener("change", event => {
  const { target } = event, item = target.closest("[data-item]");
  if (target.name === "tick") tick(item.ids, target.checked);
  if (target.name === "item") change({ kind: "tick", ids: target.form.ids, item: target.value, ticked: target.checked });
});

// -- groups ---------------------------------------------------------------------------------------

function tick(ids, isTicked) {
  for (const id of ids) page.ticked[isTicked ? "add" : "delete"](id);
  draw();
}

function toggle(item) {
  const card = item?.closest(".group");
  if (!card) return;
  const { key } = card.group, typed = [...card.querySelectorAll(".members .marking input:not([type=checkbox])")].find(isChanged);
  if (typed) {
    typed.focus();
    return toast("Save what is typed here first, or press Escape.");
  }
  if (!page.open.delete(key)) page.open.add(key);
  drawCards();
  if (item !== card) go(here());
}

async function move(item) {
  const chosen = page.ticked.size ? [...page.ticked] : item?.group ? null : item?.ids;
  if (!chosen && !item?.group) return;
  const action = await askWhereTo(chosen, chosen ? null : item.group);
  if (action) await regroup(action);
}

/** Send a change of groups; what was ticked for it is ticked no more. */
async function regroup(action) {
  if (await change(action) && action.ids) tick(action.ids, false);
}

async function rename(item) {
  const name = await askForText("Rename the group", "Name", item.group.name);
  if (name) await change({ kind: "rename", group: item.group.key, name });
}

async function split(item) {
  const group = item?.closest(".group")?.group;
  if (group) await change({ kind: "split", group: group.key });
}

/** Put answers that came later into the group that is proposed. */
async function join(item) {
  const group = item.group?.key ?? answer(item.ids[0]).proposed;
  const ids = item.group ? [...page.answers.values()].filter(one => one.proposed === group).map(one => one.id) : item.ids;
  if (!group || !ids.length) return toast("No group is proposed here.");
  await change({ kind: "move", ids, group });
}

const DO = {
  accept, join, move, rename, split,
  open: toggle,
  clear: item => change({ kind: "mark", ids: item.ids, mark: null }),
  "tick-these": (item, button) => tick(button.ids, true),
};
document.addEventListener("click", event => {
  const button = event.target.closest("[data-do]"), item = button?.closest("[data-item]");
  if (!item) return;
  const menu = button.closest("details.menu");
  if (menu) menu.open = false;
  DO[button.dataset.do](item, button);
});

// -- ticked answers -------------------------------------------------------------------------------

by("chosen").addEventListener("click", event => {
  const ids = [...page.ticked];
  ({
    move: () => move(null),
    regroup: () => regroup({ kind: "split", ids }),
    "take-out": () => regroup({ kind: "move", ids, group: null }),
    untick: () => tick(ids, false),
  })[event.target.dataset.do]?.();
});
by("chosen").addEventListener("submit", async event => {
  event.preventDefault();
  const input = by("chosen-mark"), ids = [...page.ticked];
  const problem = problemOf(input.value);
  refuse(input, problem);
  if (problem) return input.select();
  if (!await change({ kind: "mark", ids, mark: input.value }, message => refuse(input, message))) return;
  input.value = "";
  tick(ids, false);
});

// -- slider and buttons ---------------------------------------------------------------------------

let looking = null, keeping = null;
by("level").addEventListener("input", () => {
  clearTimeout(looking);
  clearTimeout(keeping);
  looking = setTimeout(look, 150, by("level").value);
  keeping = setTimeout(() => change({ kind: "settings", settings: { level: Number(by("level").value) } }), 1000);
});
by("accept-all").addEventListener("click", async () => {
  const marks = suggestedMarks([...page.answers.keys()]);
  if (await askToAccept(marks)) await change({ kind: "accept", marks });
});
by("next").addEventListener("click", goToNext);
by("undo").addEventListener("click", () => step("undo"));
by("redo").addEventListener("click", () => step("redo"));
by("help").addEventListener("click", () => by("keys").showModal());

// -- keys -----------------------------------------------------------------------------------------

const field = (item, name) => item?.querySelector(`form.marking [name=${name}]`);

/** Begin a mark with a digit; where marks are labels, the digit chooses one. */
function begin(item, digit) {
  const input = field(item, "mark");
  if (!input) return;
  const labels = page.settings.scale.labels ?? [];
  input.focus();
  input.value = hasNumbers() ? digit : labels[digit - 1] ?? digit;
}

const KEYS = {
  j: () => goBy(1),
  k: () => goBy(-1),
  g: goToNext,
  m: item => field(item, "mark")?.select(),
  c: item => field(item, "comment")?.select(),
  r: item => field(item, "item")?.focus(),
  a: item => item && accept(item),
  p: item => item && join(item),
  o: toggle,
  x: item => item && tick(item.ids, !item.ids.every(id => page.ticked.has(id))),
  v: move,
  s: split,
  "?": () => by("keys").showModal(),
};

function onKey(event) {
  const isTyping = event.target.closest("input:not([type=checkbox], [type=range]), select, textarea");
  const item = here(), isCommand = event.ctrlKey || event.metaKey;
  if (document.querySelector("dialog[open]") || event.altKey) return null;
  if (isTyping) return event.key === "Escape" && isTyping.closest(".marking") ? () => leave(isTyping, item) : null;
  if (isCommand) return { z: () => step("undo"), Z: () => step("redo"), y: () => step("redo") }[event.key] ?? null;
  if (/^[0-9.,-]$/.test(event.key)) return () => begin(item, event.key);
  return Object.hasOwn(KEYS, event.key) && !(event.repeat && !"jk".includes(event.key)) ? () => KEYS[event.key](item) : null;
}

function leave(input, item) {
  input.value = input.defaultValue;
  refuse(input);
  go(item);
}

/** Close menus, but for one that has a target inside. */
function closeMenus(target = null) {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (menu.contains(target)) continue;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
}

document.addEventListener("click", event => closeMenus(event.target));

/** Hide the reasons of a suggestion until the pointer or the focus comes back. */
function hideReasons() {
  const why = document.querySelector(".why:is(:hover, :focus-within)");
  why?.classList.add("quiet");
  for (const left of ["mouseleave", "focusout"]) why?.addEventListener(left, () => why.classList.remove("quiet"), { once: true });
}

addEventListener("keydown", event => {
  if (event.key === "Escape") {
    hideReasons();
    closeMenus();
  }
  const act = onKey(event);
  if (!act) return;
  event.preventDefault();
  act();
});

addEventListener("beforeunload", event => {
  const isUnsaved = hasUnsavedSettings() || [...document.querySelectorAll(".marking input:not([type=checkbox])")].some(isChanged);
  if (isUnsaved) event.preventDefault(); // the browser asks whether to leave
});

/** Tick the answers that were encircled on the map. */
function tickFromMap() {
  const key = `ticked ${page.question}`, ids = JSON.parse(sessionStorage.getItem(key) ?? "[]");
  sessionStorage.removeItem(key);
  for (const id of ids) if (page.answers.has(id)) page.ticked.add(id);
}

// -- start ----------------------------------------------------------------------------------------

try {
  const body = await fetchAll();
  update(body);
  tickFromMap();
  draw();
  if (page.ticked.size) by("chosen-mark").focus();
  await suggest();
} catch (error) {
  by("groups").replaceChildren();
  by("groups").removeAttribute("aria-busy");
  toast(error.message, true);
}
