// Marks and comments for whole groups, and the map of the answers.
import { by, make, namesHidden, send, toast, whenDone } from "./common.js";

// -- groups ---------------------------------------------------------------------------------------

const column = kind => by(`field-${kind}-column`).value.trim();

/** Show the values that a group's answers already have in the chosen columns. */
function showStored(form) {
  const notes = JSON.parse(form.querySelector("script").textContent);
  const lines = [];
  for (const kind of ["mark", "comment"]) {
    const name = column(kind).toLowerCase(); // columns are found in any case
    const stored = one => Object.entries(one).find(([key]) => key.toLowerCase() === name)?.[1];
    const values = Object.values(notes).map(stored).filter(Boolean);
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
    for (const [value, count] of counts) lines.push(`${kind} “${value}” at ${count}`);
  }
  form.querySelector(".given").textContent = lines.join("; ");
}

for (const form of document.querySelectorAll("form.mark")) {
  showStored(form);
  form.addEventListener("submit", async event => {
    event.preventDefault();
    const store = form.querySelector("script"), notes = JSON.parse(store.textContent);
    const ids = Object.keys(notes), columns = {};
    for (const kind of ["mark", "comment"]) {
      const value = form.elements[kind].value.trim();
      if (value) columns[column(kind)] = value;
    }
    if (!Object.keys(columns).length) return toast("Write a mark or a comment first.", true);
    try {
      await send("POST", "/api/notes", { ids, columns });
    } catch (error) {
      return toast(error.message, true);
    }
    for (const id of ids) notes[id] = { ...notes[id], ...columns };
    store.textContent = JSON.stringify(notes);
    showStored(form);
    toast(`Written to ${ids.length} answers.`);
  });
}
by("columns").addEventListener("input", () => document.querySelectorAll("form.mark").forEach(showStored));
by("columns").addEventListener("submit", event => event.preventDefault());

// -- map ------------------------------------------------------------------------------------------

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a6fd0", "#b5446e"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross"];
let points = [];

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

function traces() {
  const groups = Map.groupBy(points, point => point.cluster);
  const names = [...groups.keys()].sort((a, b) => (a === "") - (b === "") || groups.get(b).length - groups.get(a).length);
  return names.map((name, n) => {
    const members = groups.get(name);
    return {
      type: "scatter", mode: "markers", name: escaped(name || "alone") + ` (${members.length})`,
      x: members.map(p => p.x), y: members.map(p => p.y), customdata: members.map(p => points.indexOf(p)),
      text: members.map(p => `<b>${namesHidden ? "" : escaped(p.id)}</b> ${namesHidden ? "" : escaped(p.author || "")}<br>${wrapped(p.text)}`),
      hovertemplate: "%{text}<extra></extra>",
      marker: {
        size: 9, color: name ? COLOURS[n % COLOURS.length] : "#8a939c",
        symbol: SYMBOLS[Math.floor(n / COLOURS.length) % SYMBOLS.length], opacity: 0.85,
      },
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

function list(chosen) {
  const box = by("chosen");
  if (!chosen.length) return box.replaceChildren();
  const items = chosen.map(point => make("li", { class: "card" },
    make("p", { class: "small soft" }, make("a", { href: `/answer?id=${encodeURIComponent(point.id)}` }, make("bdi", {}, namesHidden ? "answer" : point.id)), point.author && !namesHidden ? ` · ${point.author}` : ""),
    make("p", { class: "answer", dir: "auto" }, point.text)));
  box.replaceChildren(make("h3", {}, `${chosen.length} answers selected`), make("ul", { class: "plain" }, ...items));
}

by("draw").addEventListener("click", async () => {
  const button = by("draw"), plot = by("plot");
  button.disabled = true;
  button.textContent = "Drawing …";
  try {
    const question = encodeURIComponent(button.dataset.question);
    const [body] = await Promise.all([
      whenDone(`/api/map?question=${question}&wait=5`),
      window.Plotly ? null : load("/static/plotly.js"),
    ]);
    points = body.points;
    plot.hidden = by("map-tools").hidden = false;
    await Plotly.newPlot(plot, traces(), layout(), { displayModeBar: false, scrollZoom: true, responsive: true });
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
by("theme").addEventListener("click", () => points.length && Plotly.relayout(by("plot"), layout()));
