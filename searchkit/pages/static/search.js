// Search while the user types. A new query cancels the running one; the address holds the query.
import { by, piece, toast } from "./common.js";

const form = by("search");
const whole = by("summary").dataset.whole;
let running = null, timer = null;

const summary = (count, isRanked) =>
  by("not-close")?.hasAttribute("data-nothing") ? "No close answer" : count === 1 ? "1 answer" : `${count} answers${isRanked ? ", the nearest first" : ""}`;

function query() {
  const params = new URLSearchParams(new FormData(form));
  for (const name of ["question", "author", "column"]) if (!params.get(name)) params.delete(name);
  return params;
}

async function search(extra = {}) {
  const params = query();
  for (const [name, value] of Object.entries(extra)) params.set(name, value);
  running?.abort();
  const own = new AbortController();
  running = own;
  by("hits").setAttribute("aria-busy", "true");
  try {
    by("hits").replaceChildren(...await piece(`/hits?${params}`, { signal: own.signal }));
    const count = by("hits").querySelectorAll("article.hit").length;
    const isRanked = Boolean(params.get("q")?.trim());
    by("summary").textContent = isRanked || count ? summary(count, isRanked) : whole;
    history.replaceState(null, "", `/search?${params}`);
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message, true);
  } finally {
    if (own === running) by("hits").removeAttribute("aria-busy");
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, 150);
});
form.addEventListener("submit", event => {
  event.preventDefault();
  clearTimeout(timer);
  search();
});
by("hits").addEventListener("click", event => {
  const more = event.target.closest("[data-more]");
  if (!more) return;
  event.preventDefault();
  search({ n: new URL(more.href).searchParams.get("n") });
});
by("field-q").focus();
// Text typed before this script ran has raised no event here.
if ([...form.querySelectorAll("input")].some(field => field.value !== field.defaultValue)) search();
