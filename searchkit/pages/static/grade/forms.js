// The form beside a group or an answer: mark, comment, rubric, and what is suggested.
import { make, readAs } from "../common.js";
import { answer, asRange, distribution, hasNumbers, inWords, page, suggestedMarks, suggestion } from "./state.js";

let numbers = 0;

/** Return the one value that all have; empty if they differ. */
const common = values => (new Set(values).size === 1 ? values[0] : "");

/** Return a field in a `mark-field` or a `comment-field`. */
function field(name, label, value, attributes) {
  const id = `${name}-${numbers += 1}`;
  const input = make("input", {
    id, name, value, dir: "auto", autocomplete: "off", "aria-describedby": `${id}-wrong`, ...attributes,
  });
  const wrong = make("span", { class: "wrong", id: `${id}-wrong`, role: "alert" });
  wrong.hidden = true;
  return make("div", { class: `${name}-field` }, make("label", { for: id }, label), input, wrong);
}

/** Show beside a field why its value is refused; without a reason: that it isn't. */
export function refuse(input, reason = "") {
  const wrong = document.getElementById(`${input.id}-wrong`);
  wrong.textContent = reason;
  wrong.hidden = !reason;
  if (reason) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function markField(ids) {
  const value = common(ids.map(id => answer(id).mark ?? ""));
  return field("mark", "Mark", value, {
    placeholder: value ? "" : asRange(distribution(ids).suggested),
    ...(hasNumbers() ? { inputmode: "decimal" } : { list: "mark-labels" }),
  });
}

/** Return the tick boxes of the rubric's items. */
function rubricFields(ids) {
  const items = page.settings.rubric.map(({ key, name, points }) => {
    const ticks = ids.map(id => answer(id).ticks[key] === "yes");
    const box = make("input", { type: "checkbox", name: "item", value: key });
    box.checked = ticks.every(Boolean);
    box.indeterminate = !box.checked && ticks.some(Boolean);
    const likely = ids.length === 1 && !answer(ids[0]).ticks[key] && page.ticks[ids[0]]?.[key];
    const hint = likely ? ` · suggested ${likely.ticked ? "✓" : "✗"} (${Math.round(likely.confidence * 100)} %)` : "";
    return make("label", { class: "item" }, box, make("span", {}, make("bdi", {}, name), make("span", { class: "soft" }, ` ${points}${hint}`)));
  });
  return make("fieldset", { class: "rubric" }, make("legend", {}, "Rubric"), ...items);
}

/** Return the three most similar marked answers, as reasons for a suggested mark. */
function reasons(suggested) {
  const list = suggested.neighbours.slice(0, 3).map(one => make("li", {},
    make("p", { class: "small soft" }, make("bdi", {}, one.id), one.mark === null ? " · reference" : ` · marked ${one.mark}`, ` · similarity ${one.score.toFixed(2)}`),
    make("p", readAs(one.locale), one.text)));
  return make("div", { class: "reasons card", role: "tooltip", id: `reasons-${numbers += 1}` },
    make("p", { class: "small" }, `The most similar marked answers; ${Math.round(suggested.confidence * 100)} % sure`), make("ul", { class: "plain" }, ...list));
}

function suggestionOf(id) {
  const one = suggestion(id);
  const labels = one.labels?.length > 1 ? ` (${one.labels.join(" or ")})` : "";
  const range = one.low !== one.high ? ` (${one.low} to ${one.high})` : labels;
  const why = reasons(one);
  return make("span", { class: "why" },
    make("button", { type: "button", class: "link", "aria-describedby": why.id }, `suggested ${one.mark}${range}`), why);
}

/** Return the line below a form's fields: what is suggested, and how to accept it. */
function suggestedLine(ids) {
  const marks = suggestedMarks(ids), count = Object.keys(marks).length;
  if (!count) return "";
  const what = ids.length === 1 ? suggestionOf(ids[0]) : `suggested ${inWords(distribution(ids).suggested)}`;
  const accept = make("button", { type: "button", class: "button small", "data-do": "accept" }, ids.length === 1 ? "Accept" : `Accept ${count}`);
  return make("p", { class: "small soft suggested" }, what, " ", accept);
}

/** Return the form of some answers: of a group, or of a single one. */
export function markForm(ids, label) {
  const form = make("form", { class: "marking", "aria-label": label });
  form.ids = ids;
  const comment = common(ids.map(id => answer(id).comment ?? ""));
  form.append(
    markField(ids),
    make("button", { class: "button" }, ids.length > 1 ? `Save for ${ids.length}` : "Save"),
    field("comment", "Comment", comment, { list: "comments" }),
    page.settings.rubric.length ? rubricFields(ids) : "",
    suggestedLine(ids),
  );
  return form;
}

// -- distribution ---------------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";

function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Return a drawing of the marks of a group, known and suggested, and the same in words. */
export function distributionView(ids) {
  const { known, suggested, unread } = distribution(ids);
  const words = [
    known.length && `marked ${inWords(known)}`,
    suggested.length && `suggested ${inWords(suggested)}`,
    unread && (known.length || suggested.length ? `${unread} without` : "no marks yet"),
  ].filter(Boolean).join(" · ");
  const marks = [...new Set([...known, ...suggested].map(([mark]) => mark))];
  if (hasNumbers()) marks.sort((a, b) => a - b);
  const view = make("div", { class: "distribution" });
  if (marks.length > 1) view.append(bars(marks, new Map(known), new Map(suggested)));
  view.append(make("p", { class: "small soft" }, words));
  return view;
}

function bars(marks, known, suggested) {
  const heights = marks.map(mark => (known.get(mark) ?? 0) + (suggested.get(mark) ?? 0));
  const unit = 24 / Math.max(...heights), width = 16;
  const svg = draw("svg", { class: "bars", width: marks.length * width, height: 26, "aria-hidden": "true" });
  marks.forEach((mark, n) => {
    const low = (known.get(mark) ?? 0) * unit, high = (suggested.get(mark) ?? 0) * unit, x = n * width + 1;
    if (low) svg.append(draw("rect", { class: "graded", x, y: 25 - low, width: width - 3, height: low }));
    if (high) svg.append(draw("rect", { class: "suggested", x: x + .5, y: 25.5 - low - high, width: width - 4, height: Math.max(high - 1, .5) }));
  });
  return svg;
}
