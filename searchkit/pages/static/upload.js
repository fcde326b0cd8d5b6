// Upload a file: send it, confirm its columns, and show the progress of indexing.
import { ask, by, make, send, whenDone } from "./common.js";

const FIELDS = [["text", "Answer"], ["id", "Id"], ["question", "Question"], ["author", "Author"], ["submitted_at", "Time"]];
const HOW = ["sheet", "table", "encoding", "quoting", "skip_rows", "platform"];
let upload = null;

function wrong(message) {
  by("wrong").hidden = !message;
  by("wrong").textContent = message || "";
}

function open(name) {
  for (const id of ["confirm", "running", "done"]) by(id).hidden = id !== name;
  by("choose").hidden = name === "running" || name === "done";
  if (name) by(`${name}-title`).focus();
}

async function receive(file) {
  wrong("");
  open(null);
  try {
    [upload] = await ask(`/api/uploads?name=${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
    show();
    by("reading").open = !upload.answers.length;
    open("confirm");
  } catch (error) {
    wrong(error.message);
  }
}

/** Show which column is read as which field, and the first answers. */
function show() {
  wrong(upload.problem?.replace(/; name it with `text=.*/, "; choose it below").replace(/`(sheet|table|encoding|quoting|skip_rows)=([^`]*)`/g, "$1 (below) $2").replace("`wide=True`", "so below"));
  by("layout").textContent = upload.layout && `Read as: ${upload.layout}`;
  const selects = FIELDS.map(([field, label]) => {
    const select = make("select", { id: `role-${field}`, name: field }, make("option", { value: "" }, "– automatic –"));
    for (const name of upload.columns) select.append(make("option", { value: name }, name));
    select.value = upload.roles[field] || "";
    return make("div", { class: "field" }, make("label", { for: `role-${field}` }, label), select);
  });
  by("roles").replaceChildren(...(upload.columns.length ? selects : []));
  const names = [...new Set(upload.answers.flatMap(answer => Object.keys(answer)))];
  by("rows").tHead.replaceChildren(make("tr", {}, ...names.map(name => make("th", { scope: "col" }, make("bdi", {}, name)))));
  by("rows").tBodies[0].replaceChildren(...upload.answers.map(answer =>
    make("tr", {}, ...names.map(name => make("td", { dir: "auto", class: String(answer[name] ?? "").length > 60 ? "long" : "" }, short(answer[name]))))));
  by("rows").hidden = !upload.answers.length;
  by("ingest").querySelector("[type=submit]").disabled = !upload.answers.length;
}

const short = text => (typeof text !== "string" ? String(text ?? "") : text.length > 200 ? text.slice(0, 200) + "…" : text);

function readOptions() {
  const options = { on_duplicate: by("field-on_duplicate").value, allow_empty: by("field-allow_empty").checked, keep_going: by("field-keep_going").checked };
  for (const [field] of FIELDS) options[field] = by(`role-${field}`)?.value || null;
  options.wide = by("field-wide").checked;
  for (const how of HOW) options[how] = by(`field-${how}`).value.trim() || null;
  return options;
}

async function look() {
  try {
    [upload] = await send("POST", `/api/uploads/${upload.id}/look`, readOptions());
  } catch (error) {
    return wrong(error.message);
  }
  const chosen = readOptions();
  show();
  for (const [field] of FIELDS) if (chosen[field]) by(`role-${field}`).value = chosen[field];
}

by("roles").addEventListener("change", look);
by("again").addEventListener("click", look);

by("ingest").addEventListener("submit", async event => {
  event.preventDefault();
  wrong("");
  open("running");
  try {
    await send("POST", `/api/uploads/${upload.id}`, readOptions());
    const counts = await whenDone(`/api/uploads/${upload.id}?wait=1`, (done, total) => {
      by("bar").max = total || 1;
      if (total) by("bar").value = done;
      by("how-far").textContent = total ? `${done} of ${total} answers` : `${done} answers`;
    });
    const facts = ["read", "added", "updated", "unchanged", "skipped", "rejected", "passages", "embedded", "seconds"];
    const rare = ["attempts", "kept_beside", "marks_matched", "marks_unmatched", "texts_kept"].filter(name => counts[name]);
    by("counts").replaceChildren(...[...facts, ...rare].flatMap(name => [make("dt", {}, name.replace("_", " ")), make("dd", {}, String(counts[name]))]));
    by("warnings").replaceChildren(...counts.warnings.map(warning => make("li", {}, make("bdi", {}, warning))));
    by("rejects").replaceChildren(...counts.rejects.map(one => make("li", {}, make("bdi", {}, one.reason))));
    open("done");
  } catch (error) {
    open(null);
    wrong(`${error.message} – nothing more was added; correct the file and send it again.`);
  }
});

by("file").addEventListener("click", () => { by("file").value = ""; }); // so that the same file can be chosen again once it is corrected
by("file").addEventListener("change", () => by("file").files[0] && receive(by("file").files[0]));
const drop = by("choose");
drop.addEventListener("submit", event => event.preventDefault());
drop.addEventListener("dragover", event => event.preventDefault());
drop.addEventListener("drop", event => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) receive(event.dataTransfer.files[0]);
});
if (by("file").files[0]) receive(by("file").files[0]); // chosen before this script ran
