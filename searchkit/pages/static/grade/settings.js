// The fold-outs: scale, columns, rubric, the name of who marks, downloads and the history.
import { ask, by, make, reach, toast } from "../common.js";
import { change } from "./changes.js";
import { drawHeader } from "./header.js";
import { page } from "./state.js";

const text = value => (value ?? "").toString();
const number = value => (value.trim() === "" ? null : Number(value.replace(",", ".")));

// -- scale and rubric -----------------------------------------------------------------------------

const unsaved = new Set(); // forms in which something was changed that isn't saved

/** Whether something in the forms isn't saved. */
export const hasUnsavedSettings = () => unsaved.size > 0;

function showKind() {
  const kind = by("kind").value;
  for (const box of document.querySelectorAll("#scale-form .numbers, #scale-form .labels")) box.hidden = !box.classList.contains(kind);
}

/** Fill the forms with what is stored; what was changed and isn't saved stays. */
function fill() {
  if (!unsaved.has(by("scale-form"))) fillScale();
  if (!unsaved.has(by("rubric-form"))) by("rubric-items").replaceChildren(...page.settings.rubric.map(itemRow));
}

function fillScale() {
  const { scale, mark_column, comment_column } = page.settings;
  by("kind").value = scale.kind;
  for (const name of ["low", "high", "step"]) by(name).value = text(scale[name]);
  by("labels").value = (scale.labels ?? []).join(", ");
  by("mark-column").value = mark_column;
  by("comment-column").value = comment_column;
  showKind();
}

function itemRow({ key = "", name = "", points = "" } = {}) {
  const remove = make("button", { type: "button", class: "button", "aria-label": `Remove ${name || "the item"}` }, "Remove");
  const row = make("li", { class: "fields item-row", "data-key": key },
    make("label", { class: "field" }, make("span", { class: "label" }, "Item"), make("input", { name: "name", value: name, dir: "auto", required: "" })),
    make("label", { class: "field" }, make("span", { class: "label" }, "Points"), make("input", { name: "points", value: text(points), inputmode: "decimal", required: "" })),
    make("div", { class: "field" }, remove));
  remove.addEventListener("click", () => {
    unsaved.add(by("rubric-form"));
    row.remove();
    by("add-item").focus();
  });
  return row;
}

function scaleOf(form) {
  const labels = form.labels.value.split(",").map(label => label.trim()).filter(Boolean);
  if (form.kind.value === "labels") return { kind: "labels", low: null, high: null, step: null, labels };
  const [low, high, step] = ["low", "high", "step"].map(name => number(form[name].value));
  return { kind: "numbers", low, high, step, unit: page.settings.scale.unit, labels: null };
}

/** Save what is in a form; return whether it was stored. */
async function save(form, settings) {
  unsaved.delete(form);
  const isStored = await change({ kind: "settings", settings }, message => toast(message, true));
  if (isStored) toast("Saved.");
  else unsaved.add(form);
  return isStored;
}

for (const id of ["scale-form", "rubric-form"]) by(id).addEventListener("input", event => unsaved.add(event.currentTarget));

by("kind").addEventListener("change", showKind);
by("settings").querySelector("summary").addEventListener("click", fill); // not "toggle", which comes after the first key
by("scale-form").addEventListener("submit", event => {
  event.preventDefault();
  const form = event.target.elements;
  save(event.target, { scale: scaleOf(form), mark_column: form.mark_column.value.trim(), comment_column: form.comment_column.value.trim() });
});
by("add-item").addEventListener("click", () => {
  const row = itemRow();
  by("rubric-items").append(row);
  row.querySelector("input").focus();
});
by("rubric-form").addEventListener("submit", async event => {
  event.preventDefault();
  const rows = [...by("rubric-items").children];
  const rubric = rows.map(row => {
    const [name, points] = [...row.querySelectorAll("input")].map(input => input.value.trim());
    return { key: row.dataset.key || `rubric: ${name}`, name, points: number(points) };
  });
  if (await save(event.target, { rubric })) rows.forEach((row, n) => { row.dataset.key = rubric[n].key; }); // so that a renamed item keeps its ticks
});

// -- the name of who marks ------------------------------------------------------------------------

by("by").value = localStorage.getItem("marking-as") ?? "";
by("by").addEventListener("input", () => localStorage.setItem("marking-as", by("by").value.trim()));
by("by").addEventListener("change", drawHeader);

// -- downloads ------------------------------------------------------------------------------------

async function download(platform) {
  const { mark_column, comment_column } = page.settings;
  const query = new URLSearchParams({ as: platform, marks: mark_column, question: page.question });
  if ([...page.answers.values()].some(answer => answer.comment)) query.set("comments", comment_column);
  const response = await reach(`/api/marks?${query}`);
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error ?? `The server answered with status ${response.status}.`);
  const name = response.headers.get("content-disposition").match(/filename="([^"]+)"/)[1];
  const address = URL.createObjectURL(await response.blob());
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  const notes = JSON.parse(response.headers.get("searchkit-notes") ?? "[]");
  by("notes").replaceChildren(...notes.map(note => make("p", {}, make("bdi", {}, note))));
  by("notes").hidden = !notes.length;
}

by("downloads").addEventListener("click", event => {
  const { as } = event.target.dataset;
  if (!as) return;
  by("downloads").open = false;
  download(as).catch(error => toast(error.message, true));
});

// -- history --------------------------------------------------------------------------------------

by("history").addEventListener("toggle", async () => {
  if (!by("history").open) return;
  try {
    const [body] = await ask(`/api/grading/history?question=${encodeURIComponent(page.question)}`);
    const rows = body.changes.reverse().map(({ at, by: who, what, state }) => {
      const when = new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
      const cells = [when, who, state === "done" ? what : `${what} (${state})`];
      return make("tr", {}, ...cells.map(value => make("td", {}, make("bdi", {}, value))));
    });
    by("history").querySelector("tbody").replaceChildren(...rows);
  } catch (error) {
    toast(error.message, true);
  }
});
