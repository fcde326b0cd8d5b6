// What several pages need. Text goes in as text, never as markup.

const GONE = "The server doesn’t answer. Start it again, then load this page again: it shows what was kept.";

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(GONE);
  }
}

/** Get a piece of a page; gives its nodes, or throws with a message to show. */
export async function piece(path, options = {}) {
  const response = await reach(path, options);
  const found = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!response.ok) throw new Error(found.querySelector(".notice")?.textContent || `The server said ${response.status}.`);
  return [...found.body.childNodes];
}

/** Ask the REST interface; gives [what it answered, its status], or throws with a message to show. */
export async function ask(path, options = {}) {
  const response = await reach(path, options);
  const said = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(said.error || `The server said ${response.status}.`);
  return [said, response.status];
}

/** Send JSON. */
export function send(method, path, body) {
  const headers = { "content-type": "application/json" };
  return ask(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

/** Ask until it is done; tells how far it is. */
export async function whenDone(path, progress = () => {}) {
  for (;;) {
    const [said, status] = await ask(path);
    if (status !== 202) return said;
    progress(said.done, said.total);
    await new Promise(resolve => setTimeout(resolve, 300));
  }
}

/** Make an element. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Say something in the corner, one thing at a time; a fault stays until it is closed. */
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

/** The element with this id. */
export const by = id => document.getElementById(id);

/** Whether who looks wants to see no names. */
export const namesHidden = document.documentElement.classList.contains("names-hidden");
