// The review page: what buttons, fields and keys do.
import { by, piece, toast } from "../common.js";
import { clearFilters, isFiltered, read, searchedText, state, write } from "./address.js";
import { decide, drawBar, tickHere, undo } from "./deciding.js";
import { clicked, drawHistogram, markListed } from "./histogram.js";
import { drawNote, keepNote, leadOn } from "./notes.js";
import { begin, first, here, neighbour, replace, show } from "./reading.js";
import { filter, find, listed, rows, search, tick, tickAll } from "./table.js";
import { exclusively, inTurn } from "./turns.js";

/** Draw what follows from the state: buttons, the list, the bar. */
function draw() {
  by("review").dataset.view = state.view;
  for (const button of document.querySelectorAll(".views [data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
  for (const key of ["verdict", "show"]) {
    for (const button of document.querySelectorAll(`#filters [data-${key}]`)) button.setAttribute("aria-pressed", String(state[key].has(button.dataset[key])));
    document.querySelector(`#filters [data-any=${key}]`).setAttribute("aria-pressed", String(!state[key].size));
  }
  if (by("question")) select(by("question"), state.question);
  select(by("author"), state.author);
  by("order").value = state.sort;
  by("clear").hidden = !isFiltered();
  filter();
  drawBar();
  markListed();
  drawHistogram().catch(error => toast(error.message, true));
}

/** Choose an option by its value; the first one stands for all. */
function select(field, value) {
  const at = value === null ? 0 : [...field.options].findIndex((option, n) => n && option.value === value);
  field.selectedIndex = Math.max(0, at);
}

/** Show a finding, and what belongs to it in the bar. */
async function go(row, options) {
  await show(row, options);
  drawBar();
  drawNote();
}

/** Change the filters; if the finding that is shown isn't listed any more, show the one to begin with. */
const change = (alter, push = true) => inTurn(async () => {
  alter();
  await search();
  draw();
  if (!here() || !listed().includes(here())) return go(first(), { push, scroll: false });
  replace();
  write({ push });
});

const toggle = (key, name) => change(() => {
  if (!state[key].delete(name)) state[key].add(name);
});

const look = view => inTurn(async () => {
  state.view = view;
  write({ push: true });
  draw();
});

const step = steps => exclusively(async () => {
  const row = neighbour(steps);
  if (row) await leadOn(() => go(row));
});

/** Open the finding of a row; where there is no room for both, in the place of the list. */
const open = row => leadOn(() => inTurn(async () => {
  state.view = "finding";
  await go(row, { push: true, scroll: getComputedStyle(document.querySelector(".views")).display !== "none" });
  draw();
}));

/** Decide or undo, and draw what that has changed, even if the next finding couldn’t be fetched. */
async function drawn(action) {
  try {
    await action();
  } finally {
    draw();
  }
}

const decided = decision => exclusively(() => leadOn(() => drawn(() => decide(decision))));

/** Undo, after a decision that is being sent: it may be the one to undo. */
const undone = () => leadOn(() => inTurn(() => drawn(undo)));

// -- the list -------------------------------------------------------------------------------------

let typing = null;
by("filters").addEventListener("submit", event => event.preventDefault());
by("filters").addEventListener("click", event => {
  const { verdict, show: decision, any } = event.target.closest("button")?.dataset ?? {};
  if (verdict) toggle("verdict", verdict);
  if (decision) toggle("show", decision);
  if (any) change(() => state[any].clear());
});
by("filters").addEventListener("change", event => {
  const { id, selectedIndex, value } = event.target;
  if (id === "order") change(() => { state.sort = value; });
  if (id === "question" || id === "author") change(() => { state[id] = selectedIndex ? value : null; });
});
by("text").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(change, 150, () => { state.text = by("text").value; }, false);
});
for (const id of ["clear", "clear-too"]) {
  by(id).addEventListener("click", () => {
    by("text").value = "";
    change(clearFilters);
  });
}
by("histogram").addEventListener("toggle", () => drawHistogram().catch(error => toast(error.message, true)));
by("histogram").addEventListener("click", event => {
  const row = clicked(event);
  if (!row) return;
  event.preventDefault();
  open(row);
});
by("tick-all").addEventListener("change", event => {
  tickAll(event.target.checked);
  drawBar();
});
by("rows").addEventListener("click", event => {
  const column = event.target.closest("[data-sort]")?.dataset.sort;
  if (column) return change(() => { state.sort = state.sort === column ? `-${column}` : column; });
  const tr = event.target.closest("tbody tr"), row = tr && rows.find(one => one.tr === tr);
  if (!row || event.ctrlKey || event.metaKey) return;
  if (event.target === row.box) {
    tick(row, row.box.checked, event.shiftKey);
    return drawBar();
  }
  event.preventDefault();
  open(row);
});

// -- the bar, and keys ----------------------------------------------------------------------------

by("before").addEventListener("click", () => step(-1));
by("next").addEventListener("click", () => step(1));
by("undo").addEventListener("click", undone);
by("untick").addEventListener("click", () => {
  tickAll(false);
  drawBar();
});
by("deciding").addEventListener("click", event => {
  const kind = event.target.closest("[data-decide]")?.dataset.decide;
  if (kind) decided(kind);
});
for (const button of document.querySelectorAll(".views [data-view]")) button.addEventListener("click", () => look(button.dataset.view));

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  c: () => decided("confirmed"),
  a: () => decided("asked"),
  d: () => decided("dismissed"),
  o: () => decided("open"),
  n: () => by("note").select(),
  x: () => exclusively(async () => {
    tickHere();
    drawBar();
  }),
  u: undone,
};
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === by("note") && ["Enter", "Escape"].includes(event.key)) {
    event.preventDefault();
    return by("note").blur(); // so that the next key decides
  }
  const isTyping = event.target.closest("input:not([type=checkbox]), textarea, select");
  if (isTyping || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  if (event.repeat && !"jk".includes(event.key)) return; // a key held down decides once
  KEYS[event.key]();
});

addEventListener("popstate", () => {
  by("text").value = searchedText(); // at once: what is typed while this waits is searched after it
  inTurn(async () => {
    read();
    await search();
    draw();
    const row = find(state.pair) ?? first();
    if (row === here()) replace();
    else await go(row, { push: null, scroll: false });
  });
});

// -- what is folded in ----------------------------------------------------------------------------

for (const box of document.querySelectorAll("[data-load]")) {
  box.addEventListener("toggle", async () => {
    const content = box.lastElementChild;
    if (!box.open || content.childElementCount) return;
    try {
      content.replaceChildren(...await piece(box.dataset.load));
    } catch (error) {
      toast(error.message, true);
    }
  });
}

// -- start ----------------------------------------------------------------------------------------

read();
for (const key of ["question", "author"]) if (state[key] && by(key)) state[key] = by(key).value; // as it is spelt here
begin();
if (by("note").value) keepNote(); // it was typed before this script ran
await exclusively(search);
draw();
replace();
drawNote();
