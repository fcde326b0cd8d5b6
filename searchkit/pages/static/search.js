// Search while one types; the newest query wins, and the address keeps it.
import { by, piece, toast } from "./common.js";

const form = by("search");
const whole = by("summary").dataset.whole;
let running = null, timer = null;

const found = count => (count === 1 ? "1 answer" : `${count} answers, the nearest first`);

function query() {
  const given = new URLSearchParams(new FormData(form));
  for (const name of ["question", "author"]) if (!given.get(name)) given.delete(name);
  return given;
}

async function search(extra = {}) {
  const given = query();
  for (const [name, value] of Object.entries(extra)) given.set(name, value);
  running?.abort();
  running = new AbortController();
  by("hits").setAttribute("aria-busy", "true");
  try {
    by("hits").replaceChildren(...await piece(`/hits?${given}`, { signal: running.signal }));
    const count = by("hits").querySelectorAll("article.hit").length;
    by("summary").textContent = given.get("q")?.trim() ? found(count) : whole;
    history.replaceState(null, "", `/?${given}`);
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message, true);
  } finally {
    by("hits").removeAttribute("aria-busy");
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
// What was typed before this ran was told to nobody.
if ([...form.querySelectorAll("input")].some(field => field.value !== field.defaultValue)) search();
