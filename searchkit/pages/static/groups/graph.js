// The graph of students: a slider for strength, sizes, and choosing a student or a line.
import { by, make, piece, toast } from "../common.js";

const canvas = by("canvas"), svg = canvas?.querySelector("svg"), slider = by("strength");
const SIZES = [0.2, 0.3, 0.45, 0.65, 0.8, 1, 1.25, 1.6, 2];
const NEAR = 7; // pixels around a line that count as the line
const MAX_THICKNESS = 9;
const SMALL = 0.6, TINY = 0.4; // sizes below which only groups have a label, and what is pointed at
const PHONE = 700, READABLE = 0.8; // pixels of width; the size from which names can be read

const nodes = svg ? [...svg.querySelectorAll(".node")].map(element => {
  const { e: x, f: y } = element.transform.baseVal[0].matrix;
  return { element, x, y, student: element.dataset.student, group: element.dataset.group };
}) : [];
const edges = svg ? [...svg.querySelectorAll(".edge")].map(element => ({
  element,
  ends: element.dataset.ends.split(" ").map(n => nodes[n]),
  counts: element.dataset.counts.split(" ").map(Number),
})) : [];
const state = new URLSearchParams(location.search);
const groupLabels = [];
let size = 1, chosen = [];

function address() {
  const query = state.toString();
  history.replaceState(null, "", location.pathname + (query ? `?${query}` : "") + location.hash);
}

/** Draw the findings of a step of the slider, and the students who have some. */
function draw(step) {
  const seen = new Set();
  for (const { element, ends, counts } of edges) {
    const count = counts[step];
    element.classList.toggle("off", !count);
    if (!count) continue;
    element.setAttribute("stroke-width", Math.min(MAX_THICKNESS, 0.5 + 1.5 * count));
    for (const end of ends) seen.add(end);
  }
  for (const node of nodes) node.element.classList.toggle("off", !seen.has(node));
  for (const { label, members } of groupLabels) label.classList.toggle("off", !members.some(node => seen.has(node)));
  const pairs = edges.filter(edge => edge.counts[step]).length;
  const label = slider.dataset.steps.split("|")[step];
  by("step").textContent = `${label}: ${pairs} ${pairs === 1 ? "pair" : "pairs"} of ${seen.size} students`;
  slider.setAttribute("aria-valuetext", by("step").textContent);
  const current = nodes.find(node => node.element.tabIndex === 0);
  if (current && !seen.has(current) && seen.size) reachable([...seen][0]);
}

/** Show the graph at a size; what was in the middle stays there. */
function resize(next) {
  const { width, height } = svg.viewBox.baseVal;
  const middle = [canvas.scrollLeft + canvas.clientWidth / 2, canvas.scrollTop + canvas.clientHeight / 2];
  const factor = next / size;
  size = next;
  svg.classList.toggle("small", size < SMALL);
  svg.classList.toggle("tiny", size < TINY);
  svg.setAttribute("width", width * size);
  svg.setAttribute("height", height * size);
  by("more").hidden = canvas.scrollWidth <= canvas.clientWidth && canvas.scrollHeight <= canvas.clientHeight;
  canvas.scrollTo(middle[0] * factor - canvas.clientWidth / 2, middle[1] * factor - canvas.clientHeight / 2);
}

/** Return the size at which the whole graph can be seen. */
function fitting() {
  const { width, height } = svg.viewBox.baseVal;
  return Math.min(1, canvas.clientWidth / width, (innerHeight * 0.85) / height);
}

const larger = () => resize(SIZES.find(one => one > size + 0.01) || size);
const smaller = () => resize(SIZES.findLast(one => one < size - 0.01) || size);

/** Mark what is chosen, and what belongs to it. */
function mark() {
  const line = chosen.length === 2;
  const with_ = new Set(chosen);
  svg.classList.toggle("some-chosen", chosen.length > 0);
  for (const { element, ends } of edges) {
    const belongs = line ? ends.every(end => chosen.includes(end)) : ends.some(end => chosen.includes(end));
    element.classList.toggle("near", belongs && !line);
    element.classList.toggle("chosen", belongs && line);
    if (belongs && !line) for (const end of ends) with_.add(end);
  }
  for (const node of nodes) {
    node.element.classList.toggle("chosen", chosen.includes(node));
    node.element.classList.toggle("near", with_.has(node));
    node.element.setAttribute("aria-pressed", String(chosen.includes(node)));
  }
}

async function choose(students) {
  chosen = students;
  mark();
  const query = new URLSearchParams();
  state.delete("author");
  state.delete("other");
  students.forEach((node, n) => {
    for (const one of [query, state]) one.set(n ? "other" : "author", node.student);
  });
  address();
  if (!students.length) return by("chosen").replaceChildren(make("p", { class: "soft" }, "Nothing is chosen."));
  by("chosen").setAttribute("aria-busy", "true");
  try {
    const parts = await piece(`/groups/pairs?${query}`);
    if (chosen === students) by("chosen").replaceChildren(...parts);
  } catch (error) {
    toast(error.message, true);
  }
  by("chosen").removeAttribute("aria-busy");
}

/** Return the node or edge at or near a point of the window. */
function hit(x, y) {
  const places = [[0, 0]];
  for (let n = 0; n < 8; n += 1) places.push([NEAR * Math.cos(n * Math.PI / 4), NEAR * Math.sin(n * Math.PI / 4)]);
  for (const [across, down] of places) {
    const element = document.elementFromPoint(x + across, y + down)?.closest(".node, .edge");
    if (element && svg.contains(element)) return nodes.find(n => n.element === element) || edges.find(e => e.element === element);
  }
  return null;
}

/** Let the Tab key lead to this student. */
function reachable(node) {
  for (const one of nodes) one.element.tabIndex = one === node ? 0 : -1;
}

/** Return the nearest student in a direction. */
function neighbour(from, across, down) {
  let best = null, least = Infinity;
  for (const node of nodes) {
    if (node === from || node.element.classList.contains("off")) continue;
    const [x, y] = [node.x - from.x, node.y - from.y];
    const ahead = x * across + y * down, beside = Math.abs(x * down) + Math.abs(y * across);
    const far = ahead + 2 * beside;
    if (ahead > 0 && ahead >= beside / 2 && far < least) [best, least] = [node, far];
  }
  return best;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(event) {
  const node = nodes.find(one => one.element === event.target);
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && chosen.length) return void choose([]);
  if (!node) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    choose([node]);
  } else if (ARROWS[event.key]) {
    event.preventDefault();
    const next = neighbour(node, ...ARROWS[event.key]);
    if (!next) return;
    reachable(next);
    next.element.focus({ preventScroll: true });
    next.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

/** Write the number of each group in its middle, for sizes at which those in its students can't be read. */
function labelGroups() {
  const groups = Map.groupBy(nodes.filter(node => node.group !== "0"), node => node.group);
  for (const [group, members] of groups) {
    const label = document.createElementNS(svg.namespaceURI, "text");
    const middle = key => members.reduce((sum, node) => sum + node[key], 0) / members.length;
    for (const [name, value] of Object.entries({ class: "group-number", x: middle("x"), y: middle("y"), "aria-hidden": "true" })) {
      label.setAttribute(name, value);
    }
    label.textContent = group;
    svg.append(label);
    groupLabels.push({ label, members });
  }
}

function start() {
  labelGroups();
  slider.value = Math.min(Number(state.get("strength")) || 0, slider.max);
  slider.addEventListener("input", () => {
    if (slider.value === "0") state.delete("strength");
    else state.set("strength", slider.value);
    address();
    draw(Number(slider.value));
  });
  draw(Number(slider.value));
  resize(Math.max(fitting(), innerWidth < PHONE ? READABLE : SIZES[0]));
  by("larger").addEventListener("click", larger);
  by("smaller").addEventListener("click", smaller);
  by("fit").addEventListener("click", () => resize(fitting()));
  svg.addEventListener("click", event => {
    const found = hit(event.clientX, event.clientY);
    if (!found) return;
    choose(found.ends || [found]);
    if (!found.ends) reachable(found);
  });
  canvas.addEventListener("keydown", onKey);
  by("chosen").addEventListener("click", event => {
    if (event.target.id !== "choose-none") return;
    event.preventDefault();
    choose([]);
  });
  const given = [state.get("author"), state.get("other")].filter(Boolean);
  chosen = nodes.filter(node => given.includes(node.student));
  if (chosen.length) mark();
  const first = chosen[0] || nodes[0];
  canvas.scrollTo(first.x * size - canvas.clientWidth / 2, first.y * size - canvas.clientHeight / 2);
  for (const item of document.querySelectorAll(".group-list [data-group]")) {
    const light = on => nodes.forEach(node => node.element.classList.toggle("lit", on && node.group === item.dataset.group));
    for (const name of ["mouseenter", "focusin"]) item.addEventListener(name, () => light(true));
    for (const name of ["mouseleave", "focusout"]) item.addEventListener(name, () => light(false));
  }
}

if (svg) start();
