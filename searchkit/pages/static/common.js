// What several pages need. Text goes in as text, never as markup.

/** Ask the REST interface; gives [what it answered, its status], or throws with a message to show. */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server doesn’t answer; nothing was changed. Is it still running?");
  }
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

/** Say something in the corner; a fault stays until it is closed. */
export function toast(message, bad = false) {
  const box = make("div", { class: bad ? "toast bad" : "toast", role: bad ? "alert" : "status" });
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
