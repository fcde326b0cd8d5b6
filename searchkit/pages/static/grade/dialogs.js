// Questions to the teacher: which group, which name, whether to overwrite.
import { by, make } from "../common.js";
import { counted, groupOf, inWords, page, tally } from "./state.js";

let last = Promise.resolve(); // the dialog that was asked for last

/** Show a dialog, after one that is still open, and return the value of the button that closed it; empty if it was
    cancelled. */
function ask(title, content, buttons) {
  last = last.then(() => show(title, content, buttons));
  return last;
}

function show(title, content, buttons) {
  const dialog = by("dialog");
  const actions = buttons.map(([value, label], n) => make("button", { class: n ? "button" : "button main", value }, label));
  actions.push(make("button", { class: "button", value: "", formnovalidate: "" }, "Cancel"));
  dialog.replaceChildren(make("form", { method: "dialog" },
    make("h2", { id: "dialog-title" }, title), ...content, make("div", { class: "actions" }, ...actions)));
  dialog.returnValue = "";
  dialog.showModal();
  dialog.querySelector("input")?.select();
  return new Promise(resolve => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

const labelled = (label, control) => make("div", { class: "field" }, make("label", { for: control.id }, label), control);

/** Ask for a group; return the value of an option, or null if it was cancelled. */
async function askForGroup(title, label, groups, extra = []) {
  const options = [...extra, ...groups.map(({ key, name, ids }) => [`g:${key}`, `${name} (${ids.length})`])];
  const select = make("select", { id: "which-group", size: String(Math.min(10, Math.max(2, options.length))) },
    ...options.map(([value, label]) => make("option", { value }, label)));
  select.selectedIndex = 0;
  select.addEventListener("keydown", event => event.key === "Enter" && (event.preventDefault(), by("dialog").close("yes")));
  return (await ask(title, [labelled("Group", select)], [["yes", label]])) ? select.value : null;
}

/** Ask for a text; return null if it was cancelled. */
export async function askForText(title, label, value) {
  const input = make("input", { id: "which-text", value, dir: "auto", required: "" });
  return (await ask(title, [labelled(label, input)], [["yes", "Save"]])) ? input.value.trim() : null;
}

/** Ask whether values may be overwritten; return "all", "others" (leave these alone), or "". */
export function askToOverwrite(overwrites, count) {
  const counts = new Map();
  for (const { from, to } of overwrites) {
    const change = `${from} → ${to || "nothing"}`;
    counts.set(change, (counts.get(change) ?? 0) + 1);
  }
  const lines = [...counts].map(([change, times]) => make("li", {}, `${counted(times, "answer")}: `, make("bdi", {}, change)));
  const rest = count - overwrites.length;
  const buttons = [["all", `Overwrite ${overwrites.length}`]];
  if (rest > 0) buttons.push(["others", `Only the ${rest} without`]);
  return ask("Overwrite what is there?", [make("ul", {}, ...lines)], buttons);
}

/** Ask whether all suggested marks shall be accepted. */
export const askToAccept = marks => {
  const content = make("p", {}, `They are: ${inWords(tally(Object.values(marks)))}. Undo takes them back.`);
  return ask(`Accept ${counted(Object.keys(marks).length, "suggested mark")}?`, [content], [["yes", "Accept them"]]);
};

/** Ask where answers, or a group, shall go; return the action, or null. */
export async function askWhereTo(ids, group) {
  if (group) {
    const to = await askForGroup(`Merge “${group.name}” with`, "Merge", page.groups.filter(one => one !== group));
    return to && { kind: "merge", groups: [to.slice(2), group.key] };
  }
  const extra = ids.length > 1 ? [["new", "a new group"]] : [];
  if (ids.some(groupOf)) extra.push(["alone", ids.length > 1 ? "no group: each stands alone" : "no group: it stands alone"]);
  const groups = page.groups.filter(one => !ids.every(id => one.ids.includes(id)));
  const to = await askForGroup(`Move ${counted(ids.length, "answer")} to`, "Move", groups, extra);
  if (to === null) return null;
  if (to === "new") return { kind: "split", ids };
  return { kind: "move", ids, group: to === "alone" ? null : to.slice(2) };
}
