// Functions that several pages share. Text is inserted as text, never as markup.

const GONE = "The server doesn’t answer. Start it again, then reload this page: it shows everything that was saved.";

/** Fetch an address as `fetch` does; throw an error whose message can be shown if the server is gone. */
export async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(GONE);
  }
}

/** Fetch a fragment of a page and return [its nodes, status]; throw an error whose message can be shown. */
export async function fragment(path, options = {}) {
  const response = await reach(path, options);
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!response.ok) throw new Error(parsed.querySelector(".notice")?.textContent || `The server answered with status ${response.status}.`);
  return [[...parsed.body.childNodes], response.status];
}

/** Fetch a fragment of a page and return its nodes. */
export const piece = async (path, options) => (await fragment(path, options))[0];

/** Call the REST interface and return [body, status]; throw an error whose message can be shown,
    with the status and the body. */
export async function ask(path, options = {}) {
  const response = await reach(path, options);
  const body = await response.json().catch(error => {
    if (error.name === "AbortError") throw error;
    return {};
  });
  if (!response.ok) {
    const message = body.error || `The server answered with status ${response.status}.`;
    throw Object.assign(new Error(message), { status: response.status, body });
  }
  return [body, response.status];
}

/** Call the REST interface with a JSON body. */
export function send(method, path, body, signal) {
  const headers = { "content-type": "application/json" };
  return ask(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
}

/** Poll until the result is ready and return it, reporting progress. */
export async function whenDone(path, progress = () => {}, options = {}) {
  for (;;) {
    const [body, status] = await ask(path, options);
    if (status !== 202) return body;
    progress(body.done, body.total);
    await new Promise(resolve => setTimeout(resolve, 300));
  }
}

/** Create an element. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Return the attributes of an element with an answer's text, which is read by its own locale. */
export const readAs = ({ language, direction }) => ({ class: "answer", lang: language, dir: direction });

/** Show a message in the corner, one at a time; an error stays until it is closed. */
export function toast(message, bad = false) {
  for (const old of document.querySelectorAll(".toast")) {
    if (!old.classList.contains("bad") || old.dataset.message === message) old.remove();
  }
  const box = make("div", { class: bad ? "toast bad" : "toast", "data-message": message, ...(bad && { role: "alert" }) });
  box.append(make("bdi", {}, message));
  if (bad) {
    const close = make("button", { class: "button", type: "button" }, "Close");
    close.addEventListener("click", () => box.remove());
    box.append(" ", close);
  } else {
    setTimeout(() => box.remove(), 4000);
  }
  document.getElementById("toasts").append(box);
}

/** Return the element with this id. */
export const by = id => document.getElementById(id);

/** Whether names are hidden. */
export const namesHidden = document.documentElement.classList.contains("names-hidden");
