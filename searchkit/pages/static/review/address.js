// What the page's address says: which findings are listed, in which order, and which one is shown.

const LISTS = ["verdict", "show"], TEXTS = ["question", "author"];
let unread = 1; // addresses that the browser went to and `read` hasn't taken over; at first that of the page

/** The state that the address holds; `pair` has the ids of both answers. */
export const state = {};

addEventListener("popstate", () => { unread += 1; });

/** Return the words that the address searches for. */
export const searchedText = () => new URLSearchParams(location.search).get("text") ?? "";

/** Take the state over from the address. */
export function read() {
  unread -= 1;
  const query = new URLSearchParams(location.search);
  const names = key => (query.get(key) ?? "").split(",").filter(name => name && name !== "all");
  for (const key of LISTS) state[key] = new Set(names(key));
  for (const key of TEXTS) state[key] = query.get(key);
  state.text = searchedText();
  state.sort = query.get("sort") || "strength";
  state.view = query.get("view") || "finding";
  state.pair = query.has("left") ? [query.get("left"), query.get("right")] : null;
}

/** Write the state into the address; with `push` as a step that the back button takes back. After a step back or
    forward nothing is written until it is read: the address is already another one's. */
export function write({ push = false } = {}) {
  if (unread) return;
  const query = new URLSearchParams();
  for (const key of TEXTS) if (state[key] !== null) query.set(key, state[key]);
  for (const key of LISTS) if (state[key].size) query.set(key, [...state[key]].join(","));
  if (state.text) query.set("text", state.text);
  if (state.sort !== "strength") query.set("sort", state.sort);
  if (state.view !== "finding") query.set("view", state.view);
  if (state.pair) state.pair.forEach((id, n) => query.set(["left", "right"][n], id));
  const address = location.pathname + (query.size ? `?${query}` : "");
  if (address !== location.pathname + location.search) history[push ? "pushState" : "replaceState"](null, "", address);
}

/** Whether the address narrows the list. */
export const isFiltered = () => Boolean(state.text || state.question !== null || state.author || state.verdict.size || state.show.size);

/** List all findings. */
export function clearFilters() {
  Object.assign(state, { question: null, author: null, verdict: new Set(), show: new Set(), text: "" });
}
