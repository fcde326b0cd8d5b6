// Upload a file: send it, confirm its columns, and show the progress of indexing.
import { ask, by, make, send, whenDone } from "./common.js";

const FIELDS = [["text", "Answer"], ["id", "Id"], ["question", "Question"], ["author", "Author"], ["submitted_at", "Time"]];
const HOW = ["sheet", "table", "encoding", "quoting", "skip_rows", "platform"];
const MAX_LISTED = 5; // rows that are named as examples
const labels = new Map(FIELDS);
let upload = null;
let reading = new AbortController(); // of the file that was sent last, or looked at; only that one is shown
let checking = new AbortController(); // of the last check; only that one is shown

/** Give up what is being read and checked; return the signal of what is read now. */
function supersede() {
  reading.abort();
  checking.abort();
  reading = new AbortController();
  return reading.signal;
}

/** Show an error: beside the field that it names, if it names one; or an empty one: no error. */
function wrong(message = "") {
  for (const old of document.querySelectorAll("#ingest .field > .wrong")) old.remove();
  for (const field of document.querySelectorAll("#ingest [aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    describe(field);
  }
  const field = named(message)[0];
  message = withoutPlace(message, field);
  by("wrong").hidden = !message || Boolean(field);
  by("wrong").textContent = inWords(message);
  if (!field) return null;
  const beside = make("span", { class: "wrong", id: `${field.id}-wrong`, role: "alert" }, inWords(message));
  field.setAttribute("aria-invalid", "true");
  field.closest(".field").append(beside);
  describe(field);
  if (by("reading").contains(field)) by("reading").open = true;
  return field;
}

/** Name to a screen reader the hint and the error that stand beside a field. */
function describe(field) {
  const ids = ["hint", "wrong"].map(kind => `${field.id}-${kind}`).filter(by);
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
}

const control = name => by(`role-${name}`) || by(`field-${name}`);

/** Return a message without file and line where it is about a column: neither says more than the form. */
function withoutPlace(message, field) {
  if (!field || !by("roles").contains(field) || !message.startsWith(`${upload.name}:`)) return message;
  return message.slice(upload.name.length + 1).trim().replace(/^\d+: /, "");
}

/** Return the fields of the form that a message names, as in `sheet=NAME`. */
function named(message) {
  return [...message.matchAll(/`(\w+)/g)].map(found => control(found[1])).filter(Boolean);
}

/** Return a message with the labels of the form's fields in place of their names. */
function inWords(message) {
  const options = named(message).flatMap(field => [...(field.options || [])]).filter(one => one.value.includes("-"));
  const worded = message.replace(/`(\w+)(?:=([^`]*))?`/g, (all, name, value) => {
    const field = control(name);
    if (!field) return all;
    const label = field.closest(".field").querySelector("label").textContent.trim();
    const option = [...(field.options || [])].find(one => one.value === value)?.textContent;
    const chosen = option || (field.type === "checkbox" || /^[A-Z]+$/.test(value || "") ? "" : value);
    return `“${label}”${chosen ? `: ${chosen}` : ""}`;
  });
  return options.reduce((text, one) => text.replaceAll(one.value, one.textContent), worded);
}

function open(name) {
  for (const id of ["confirm", "running", "done"]) by(id).hidden = id !== name;
  by("choose").hidden = name === "running" || name === "done";
  if (name) by(`${name}-title`).focus();
}

/** Send a file and show how it is read: a corrected one, which has the same name, with the choices made for that. */
async function receive(file) {
  const signal = supersede(), before = upload?.name;
  wrong("");
  open(null);
  by("sending").textContent = `Sending ${file.name} …`;
  try {
    [upload] = await ask(`/api/uploads?name=${encodeURIComponent(file.name)}`, { method: "PUT", body: file, signal });
  } catch (error) {
    return error.name === "AbortError" ? null : wrong(error.message);
  } finally {
    if (!signal.aborted) by("sending").textContent = "";
  }
  if (upload.name !== before) for (const field of readingFields()) clear(field);
  const isChosen = readingFields().some(field => field.value && field.checked !== false);
  by("reading").open = isChosen || !upload.answers.length;
  open("confirm");
  if (!isChosen) return show();
  for (const select of by("roles").querySelectorAll("select")) clear(select);
  await look();
}

/** Draw the choice of a column for each field; the one that has the focus keeps it. */
function showRoles(chosen) {
  const box = by("roles"), columns = JSON.stringify(upload.columns);
  if (box.dataset.columns !== columns) {
    const held = box.contains(document.activeElement) && document.activeElement.id;
    const fields = FIELDS.map(([field, label]) => make("div", { class: "field" },
      make("label", { for: `role-${field}` }, label),
      make("select", { id: `role-${field}`, name: field }, ...["", ...upload.columns].map(name => make("option", { value: name }, name || "– automatic –")))));
    box.replaceChildren(...(upload.columns.length ? fields : []));
    box.dataset.columns = columns;
    if (held) by(held)?.focus();
  }
  for (const select of box.querySelectorAll("select")) select.value = chosen[select.name] || upload.roles[select.name] || "";
}

/** Show which column is read as which field, and the first answers; columns that were chosen stay. */
function show(chosen = {}) {
  by("layout").textContent = upload.layout && `Read as: ${upload.layout}`;
  showRoles(chosen);
  const names = [...new Set(upload.answers.flatMap(answer => Object.keys(answer)))];
  const title = name => labels.get(name) ?? name;
  by("rows").tHead.replaceChildren(make("tr", { role: "row" }, ...names.map(name => make("th", { role: "columnheader", scope: "col" }, make("bdi", {}, title(name))))));
  by("rows").tBodies[0].replaceChildren(...upload.answers.map(answer => make("tr", { role: "row" }, ...names.map(name => {
    const text = short(Object.hasOwn(answer, name) ? answer[name] : "");
    return make("td", { role: "cell", dir: "auto", class: text.length > 60 ? "long wide" : "", "data-label": title(name) }, text);
  }))));
  by("rows").hidden = !upload.answers.length;
  by("add").disabled = !upload.answers.length;
  wrong(upload.problem || "");
  check();
}

/** Say what adding all rows would do: what is new, what comes twice, what is blank. */
async function check() {
  checking.abort();
  checking = new AbortController();
  by("check").hidden = !upload.answers.length;
  if (by("check").hidden) return;
  by("check-summary").textContent = "Reading all rows …";
  by("check-list").replaceChildren();
  const how = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(readOptions()), signal: checking.signal };
  try {
    showCheck(await whenDone(`/api/uploads/${upload.id}/check?wait=1`, (done, total) => {
      by("check-summary").textContent = `Reading all rows: ${done}${total ? ` of ${total}` : ""} …`;
    }, how));
  } catch (error) {
    if (error.name !== "AbortError") by("check-summary").textContent = inWords(error.message);
  }
}

function showCheck(report) {
  by("check-summary").textContent = `Nothing is written yet. Adding the answers will give: ${report.summary}.`;
  const items = report.warnings.map(text => [inWords(text)]);
  if (report.blank) items.push([`${report.blank} without a text: ${listed(report.blank_rows, report.blank)}. They are kept as blank answers.`]);
  if (report.rejected) {
    const fate = by("field-keep_going").checked ? "they will be left out" : "adding stops at the first of them, unless you choose above what becomes of them";
    const reasons = report.rejects.slice(0, MAX_LISTED).map(one => `${one.line ? `line ${one.line}: ` : ""}${inWords(one.reason)}`);
    if (report.rejected > reasons.length) reasons.push(`and ${report.rejected - reasons.length} more`);
    items.push([`${report.rejected} can’t be used: ${fate}.`, make("ul", {}, ...reasons.map(one => make("li", {}, make("bdi", {}, one))))]);
  }
  by("check-list").replaceChildren(...items.map(([text, ...more]) => make("li", {}, make("bdi", {}, text), ...more)));
}

function listed(names, count) {
  const first = names.slice(0, MAX_LISTED).join(", ");
  return count > MAX_LISTED ? `${first} and ${count - MAX_LISTED} more` : first;
}

const short = (text, length = 200) => (typeof text !== "string" ? String(text ?? "") : text.length > length ? text.slice(0, length) + "…" : text);

const readingFields = () => [...by("reading").querySelectorAll("input, select")];

function clear(field) {
  if (field.type === "checkbox") field.checked = false;
  else field.value = "";
}

/** Look at the file again, read as is chosen now; nothing can be added before that is shown. */
async function look() {
  const signal = supersede();
  by("add").disabled = true;
  by("check-summary").textContent = "Looking at the file again …";
  by("check-list").replaceChildren();
  try {
    [upload] = await send("POST", `/api/uploads/${upload.id}/look`, readOptions(), signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    by("add").disabled = !upload.answers.length;
    by("check-summary").textContent = "";
    return wrong(error.message);
  }
  show(readOptions());
}

// A field that is left because another file is sent, which hides the form, is about the file before.
for (const id of ["roles", "reading"]) by(id).addEventListener("change", () => by("confirm").hidden || look());

function readOptions() {
  const options = { on_duplicate: by("field-on_duplicate").value, allow_empty: by("field-allow_empty").checked, keep_going: by("field-keep_going").checked };
  for (const [field] of FIELDS) options[field] = by(`role-${field}`)?.value || null;
  options.wide = by("field-wide").checked;
  for (const how of HOW) options[how] = by(`field-${how}`).value.trim() || null;
  return options;
}

for (const name of ["on_duplicate", "allow_empty", "keep_going"]) {
  by(`field-${name}`).addEventListener("change", () => {
    wrong("");
    check();
  });
}

by("ingest").addEventListener("submit", async event => {
  event.preventDefault();
  if (event.submitter !== by("add")) return look(); // also by Enter in a field, which adds nothing
  checking.abort();
  wrong("");
  open("running");
  try {
    await send("POST", `/api/uploads/${upload.id}`, readOptions());
    const counts = await whenDone(`/api/uploads/${upload.id}?wait=1`, (done, total) => {
      by("bar").max = total || 1;
      if (total) by("bar").value = done;
      by("how-far").textContent = total ? `${done} of ${total} answers` : `${done} answers`;
    });
    showDone(counts);
    open("done");
  } catch (error) {
    open("confirm");
    const field = wrong(error.message);
    if (!field) by("wrong").textContent += " – nothing more was added; change something here, or send a corrected file.";
    (field || by("wrong")).scrollIntoView({ block: "center" });
    field?.focus({ preventScroll: true });
  }
});

function showDone(counts) {
  by("summary").textContent = `${counts.summary}.`;
  const facts = ["read", "added", "updated", "unchanged", "skipped", "rejected", "blank", "passages", "embedded", "seconds"];
  const rare = ["attempts", "kept_beside", "marks_matched", "marks_unmatched", "texts_kept"].filter(name => counts[name]);
  by("counts").replaceChildren(...[...facts, ...rare].flatMap(name => [make("dt", {}, name.replace("_", " ")), make("dd", {}, String(counts[name]))]));
  by("warnings").replaceChildren(...counts.warnings.map(warning => make("li", {}, make("bdi", {}, inWords(warning)))));
  by("rejects").replaceChildren(...counts.rejects.map(one => make("li", {}, make("bdi", {}, inWords(one.reason)))));
  const [question] = counts.questions;
  by("grade").hidden = !question;
  by("grade-others").hidden = counts.questions.length < 2;
  if (question) {
    by("grade").href = `/grade?question=${encodeURIComponent(question)}`;
    by("grade").replaceChildren("Grade ", make("bdi", {}, short(question, 40)));
  }
}

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
