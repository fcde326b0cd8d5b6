// The map of the answers: coloured by group, mark or column, with a lasso to choose answers.
import { by, make, namesHidden, toast, whenDone } from "./common.js";

const question = by("draw").dataset.question;
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a6fd0", "#b5446e"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross"];
const NONE = "#8a939c";
const MANY = 30; // a column with more different values isn't offered: each would need a colour
let points = [];
let colours = new Map(); // from what the map can be coloured by to the value of each point

// Plotly inserts the style rules of its street maps, which our policy blocks, unless it finds this id.
const STREET_MAPS = "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53";

function load(source) {
  document.head.append(make("meta", { id: STREET_MAPS }));
  return new Promise((resolve, reject) => {
    const script = make("script", { src: source });
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error("The map needs plotly: pip install 'searchkit[web]'")));
    document.head.append(script);
  });
}

const escaped = text => text.replace(/[&<>]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);

function wrapped(text, width = 50) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    if ((lines.at(-1) + word).length > width) lines.push("");
    lines[lines.length - 1] += (lines.at(-1) ? " " : "") + word;
  }
  return lines.map(escaped).join("<br>");
}

/** Return the values by which points can be coloured: a map from a name to a function of a point. */
function colourings(grading, suggestions) {
  const answers = new Map(grading.answers.map(one => [one.id, one]));
  const groups = new Map(grading.groups.flatMap(({ name, ids }) => ids.map(id => [id, name])));
  const all = new Map([
    ["group", point => groups.get(point.id) ?? ""],
    ["mark", point => answers.get(point.id)?.mark ?? ""],
    ["suggested mark", point => answers.get(point.id)?.mark ?? suggestions[point.id]?.mark ?? ""],
    ["author", point => point.author ?? ""],
    ...new Set(points.flatMap(point => Object.keys(point.columns))).values().map(name => [name, point => point.columns[name] ?? ""]),
  ]);
  const isUseful = ([name, value]) => {
    const count = new Set(points.map(value)).size;
    return name === "group" || (count > 1 && count <= MANY);
  };
  return new Map([...all].filter(isUseful));
}

/** Return a colour between light blue and dark blue: marks have an order. */
const shade = part => `hsl(${Math.round(45 + 205 * part)} 75% ${Math.round(60 - 22 * part)}%)`;

function look(name, n, count, isOrdered) {
  if (!name) return { color: NONE, symbol: "circle-open" };
  if (isOrdered) return { color: shade(count > 1 ? n / (count - 1) : 1), symbol: "circle" };
  return { color: COLOURS[n % COLOURS.length], symbol: SYMBOLS[Math.floor(n / COLOURS.length) % SYMBOLS.length] };
}

function traces() {
  const value = colours.get(by("colour").value), groups = Map.groupBy(points, value);
  const names = [...groups.keys()].filter(Boolean), isOrdered = names.every(name => Number.isFinite(Number(name)));
  names.sort(isOrdered ? (a, b) => a - b : (a, b) => groups.get(b).length - groups.get(a).length || a.localeCompare(b));
  return [...names, ...(groups.has("") ? [""] : [])].map((name, n) => {
    const members = groups.get(name);
    return {
      type: "scatter", mode: "markers", name: escaped(name || "none") + ` (${members.length})`,
      x: members.map(p => p.x), y: members.map(p => p.y), customdata: members.map(p => points.indexOf(p)),
      text: members.map(p => `<b>${namesHidden ? "" : escaped(p.id)}</b> ${namesHidden ? "" : escaped(p.author || "")}<br>${wrapped(p.text)}`),
      hovertemplate: "%{text}<extra></extra>",
      marker: { size: 9, opacity: 0.85, ...look(name, n, names.length, isOrdered) },
    };
  });
}

function layout() {
  const look = getComputedStyle(document.documentElement);
  const colour = name => look.getPropertyValue(name).trim();
  const axis = { visible: false, automargin: false };
  return {
    paper_bgcolor: colour("--card"), plot_bgcolor: colour("--card"), font: { color: colour("--ink"), size: 13 },
    dragmode: "pan", hovermode: "closest", margin: { l: 8, r: 8, t: 8, b: 8 }, xaxis: axis, yaxis: axis,
    legend: { orientation: innerWidth < 700 ? "h" : "v" },
    hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--edge"), font: { color: colour("--ink") }, align: "left" },
  };
}

/** Go to the grading page with these answers ticked. */
function mark(chosen) {
  sessionStorage.setItem(`ticked ${question}`, JSON.stringify(chosen.map(point => point.id)));
  location.assign(`/grade?question=${encodeURIComponent(question)}`);
}

function list(chosen) {
  const box = by("chosen");
  if (!chosen.length) return box.replaceChildren();
  const items = chosen.map(point => make("li", { class: "card" },
    make("p", { class: "small soft" }, make("a", { href: `/answer?id=${encodeURIComponent(point.id)}` }, make("bdi", {}, namesHidden ? "answer" : point.id)), point.author && !namesHidden ? ` · ${point.author}` : ""),
    make("p", { class: "answer", dir: "auto" }, point.text)));
  const button = make("button", { class: "button main", type: "button" }, "Mark or move them");
  button.addEventListener("click", () => mark(chosen));
  box.replaceChildren(make("h3", {}, `${chosen.length} answers selected`), make("p", {}, button), make("ul", { class: "plain" }, ...items));
}

/** Fetch the points of the map, and what they can be coloured by. */
async function fetchPoints() {
  const query = `question=${encodeURIComponent(question)}`;
  const [map, grading, suggested] = await Promise.all([
    whenDone(`/api/map?${query}&wait=5`),
    whenDone(`/api/grading?${query}`),
    whenDone(`/api/grading/suggestions?${query}`),
  ]);
  points = map.points;
  colours = colourings(grading, suggested.suggestions);
  by("colour").replaceChildren(...[...colours.keys()].map(name => make("option", { value: name }, name)));
}

const draw = () => Plotly.react(by("plot"), traces(), layout(), { displayModeBar: false, scrollZoom: true, responsive: true });

by("draw").addEventListener("click", async () => {
  const button = by("draw"), plot = by("plot");
  button.disabled = true;
  button.textContent = "Drawing …";
  try {
    await Promise.all([fetchPoints(), window.Plotly ? null : load("/static/plotly.js")]);
    plot.hidden = by("map-tools").hidden = false;
    await draw();
    plot.on("plotly_selected", event => list((event?.points || []).map(p => points[p.customdata])));
    plot.on("plotly_deselect", () => list([]));
    button.hidden = true;
  } catch (error) {
    toast(error.message, true);
    button.disabled = false;
    button.textContent = "Draw the map";
  }
});

by("map-tools").addEventListener("click", event => {
  const { drag, zoom } = event.target.dataset, plot = by("plot");
  if (drag) {
    Plotly.relayout(plot, { dragmode: drag });
    for (const one of by("map-tools").querySelectorAll("[data-drag]")) {
      one.setAttribute("aria-pressed", String(one.dataset.drag === drag));
    }
  }
  if (zoom) {
    const change = {};
    for (const axis of ["xaxis", "yaxis"]) {
      const [low, high] = plot.layout[axis].range, middle = (low + high) / 2, half = (high - low) / 2 * zoom;
      change[`${axis}.range`] = [middle - half, middle + half];
    }
    Plotly.relayout(plot, change);
  }
});
by("colour").addEventListener("change", draw);
by("theme").addEventListener("click", () => points.length && Plotly.relayout(by("plot"), layout()));
