// The cards of groups and of answers. A card is drawn anew only when what it shows has changed.
import { by, make, readAs } from "../common.js";
import { distributionView, markForm, refuse } from "./forms.js";
import { alone, answer, conflictIn, contradicted, counted, groupName, page, proposedTo, suggestion } from "./state.js";

const button = (label, what, more = {}) => make("button", { type: "button", "data-do": what, ...more }, label);

// -- answers --------------------------------------------------------------------------------------

let numbers = 0;

/** Return a text with some phrases marked. */
function marked(text, phrases) {
  const wanted = phrases.filter(Boolean).sort((a, b) => b.length - a.length);
  if (!wanted.length) return [text];
  const pattern = wanted.map(phrase => phrase.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|");
  return text.split(new RegExp(`(?<![\\p{L}\\p{N}])(${pattern})(?![\\p{L}\\p{N}])`, "giu")).map((part, n) => (n % 2 ? make("mark", { class: "verbatim" }, part) : part));
}

function answerText(one, phrases) {
  const text = one.text ? marked(one.text, phrases) : [make("span", { class: "soft" }, "(blank)")];
  return make("p", { ...readAs(one.locale), id: `text-${numbers += 1}` }, ...text);
}

function byline(one) {
  const link = make("a", { href: `/answer?id=${encodeURIComponent(one.id)}` }, make("bdi", {}, one.id));
  const author = one.author && one.author !== one.id ? [" · ", make("bdi", {}, one.author)] : [];
  return make("span", { class: "small soft" }, link, ...author);
}

/** Return a warning that answers which say the same have other marks. */
function contradiction(id) {
  const { ids, marks } = contradicted(id);
  const others = ids.flatMap((other, n) => (other === id ? [] : [`${other} (${marks[n]})`]));
  return make("p", { class: "notice warn small" }, "Nearly the same words have other marks: ", make("bdi", {}, others.slice(0, 5).join(", ")));
}

function proposal(one) {
  return make("p", { class: "notice small" }, "Came later; proposed to ", make("strong", {}, make("bdi", {}, groupName(one.proposed))), " ",
    button("Add to the group", "join", { class: "button small" }));
}

/** Return one answer with its tick box and its form. */
function answerRow(id, phrases = []) {
  const one = answer(id);
  const tick = make("input", { type: "checkbox", name: "tick", "aria-label": `Tick ${one.id}` });
  tick.checked = page.ticked.has(id);
  const text = answerText(one, phrases);
  const row = make("article", { class: "answer-row", tabindex: "-1", "data-item": `a:${id}`, "aria-label": `Answer ${one.id}`, "aria-describedby": text.id },
    make("div", { class: "said" },
      make("div", { class: "row" }, tick, byline(one), one.file_mark && one.file_mark !== one.mark ? make("span", { class: "small soft" }, `in the file ${one.file_mark}`) : ""),
      text,
      one.proposed ? proposal(one) : "",
      contradicted(id) ? contradiction(id) : ""),
    markForm([id], `Mark ${one.id}`));
  row.ids = [id];
  return row;
}

// -- groups ---------------------------------------------------------------------------------------

const SAYS = { same: "say the same", topic: "about the same topic" };

function differences(group) {
  return group.differences.map(({ kind, versions }) => make("div", { class: "notice warn small" },
    make("p", {}, `Not all the same: ${kind === "unit" ? "units" : kind === "formula" ? "formulas" : `${kind}s`} differ.`),
    make("ul", { class: "versions" }, ...versions.map(({ text, ids }) => make("li", {},
      make("mark", { class: "verbatim" }, text || "(not said)"), ` ${counted(ids.length, "answer")} `,
      tickButton(ids, text))))));
}

/** Return a warning that one mark may not suit the whole group. */
function conflict(group) {
  const { marks } = conflictIn(group.key), [low, high] = [marks[0], marks.at(-1)];
  return make("p", { class: "notice warn small" }, `Marks, known or suggested, run from ${low} to ${high}: read the answers before you give one mark.`);
}

function tickButton(ids, text) {
  const one = button("Tick", "tick-these", { class: "button small", "aria-label": `Tick the ${counted(ids.length, "answer")} with ${text || "nothing"}` });
  one.ids = ids;
  return one;
}

function groupMenu() {
  return make("details", { class: "menu" }, make("summary", { class: "button small" }, "Change"), make("div", { class: "menu-items" },
    button("Rename …", "rename"), button("Split", "split"), button("Merge with …", "move"), button("Clear the marks", "clear")));
}

function newcomers(group) {
  const ids = proposedTo(group.key);
  if (!ids.length) return "";
  const names = ids.slice(0, 5).map(id => answer(id).id).join(", ") + (ids.length > 5 ? " …" : "");
  return make("p", { class: "notice small" }, `${counted(ids.length, "answer")} that came later ${ids.length === 1 ? "is" : "are"} proposed to this group: `, make("bdi", {}, names), " ", button("Add", "join", { class: "button small" }));
}

function groupCard(group) {
  const { key, name, ids, says, keywords, fixed } = group, open = page.open.has(key);
  const phrases = group.differences.flatMap(({ versions }) => versions.map(({ text }) => text));
  const heading = make("h3", {}, make("bdi", {}, name));
  const words = keywords.filter(word => !name.includes(word));
  const card = make("section", { class: "card group", tabindex: "-1", "data-item": `g:${key}`, "aria-label": `Group ${name}, ${counted(ids.length, "answer")}` },
    make("header", { class: "row" }, heading,
      make("span", { class: "badge" }, ids.length > 1 ? `${counted(ids.length, "answer")} ${SAYS[says]}` : "1 answer"),
      fixed ? make("span", { class: "badge info" }, "your group") : "", groupMenu()),
    make("div", { class: "answer-row" },
      make("div", { class: "said" },
        words.length ? make("ul", { class: "chips", "aria-label": "Keywords" }, ...words.map(word => make("li", { class: "chip" }, word))) : "",
        open ? "" : answerText(answer(ids[0]), phrases),
        distributionView(ids), conflictIn(key) ? conflict(group) : "", ...differences(group), newcomers(group),
        button(open ? "Close the answers" : `Show the ${counted(ids.length, "answer")}`, "open", { class: "button small", "aria-expanded": String(open) })),
      markForm(ids, `Mark the group ${name}`)),
    ...(open ? [make("div", { class: "members" }, ...ids.map(id => answerRow(id, phrases)))] : []));
  card.ids = ids;
  card.group = group;
  return card;
}

// -- drawing --------------------------------------------------------------------------------------

const drawn = new Map(); // from an item to what its card shows, as text

/** Return all that a card shows, as text, to find out whether it must be drawn anew. */
function signature(ids, group) {
  const about = id => [answer(id), suggestion(id), page.ticks[id], page.ticked.has(id), answer(id).proposed && groupName(answer(id).proposed), contradicted(id)];
  return JSON.stringify([group, group && [page.open.has(group.key), proposedTo(group.key), conflictIn(group.key)], ids.map(about), page.settings.scale, page.settings.rubric]);
}

/** Move what is typed and not yet saved, and the focus, from an old card to the new one. */
function keepTyping(old, fresh) {
  const items = [fresh, ...fresh.querySelectorAll("[data-item]")];
  const counterpart = one => items.find(item => item.dataset.item === one.closest("[data-item]").dataset.item);
  for (const input of old.querySelectorAll("input:not([type=checkbox])")) {
    const isFocused = input === document.activeElement;
    if (!isFocused && input.value === input.defaultValue) continue;
    const twin = counterpart(input)?.querySelector(`form.marking input[name=${input.name}]`);
    if (!twin) continue;
    if (input.value !== input.defaultValue) twin.value = input.value;
    if (input.ariaInvalid) twin.refused = document.getElementById(`${input.id}-wrong`).textContent;
    if (isFocused) twin.dataset.focus = `${input.selectionStart} ${input.selectionEnd}`;
  }
  const held = document.activeElement, at = [old, ...old.querySelectorAll("[data-item]")].indexOf(held.closest("[data-item]"));
  return hadFocus => {
    for (const input of fresh.querySelectorAll(".marking input")) if (input.refused) refuse(input, input.refused);
    if (!hadFocus) return;
    const field = fresh.querySelector("[data-focus]");
    if (field) {
      field.focus({ preventScroll: true });
      field.setSelectionRange(...field.dataset.focus.split(" ").map(Number));
      delete field.dataset.focus;
      return;
    }
    const item = counterpart(held) ?? items[Math.min(at, items.length - 1)]; // it was moved: go on with the next
    const same = held.dataset.do ? `[data-do="${held.dataset.do}"]` : held.name ? `[name="${held.name}"]` : "";
    const twin = same && held.value !== undefined ? [...item.querySelectorAll(same)].find(one => one.value === held.value) : null;
    (twin ?? item).focus({ preventScroll: true });
  };
}

function place(box, cards) {
  const old = new Map([...box.children].map(card => [card.dataset.item, card]));
  const wanted = cards.map(([item, ids, make_, group]) => {
    const shown = signature(ids, group), before = old.get(item);
    if (before && drawn.get(item) === shown) return before;
    const fresh = make_();
    drawn.set(item, shown);
    if (before?.ids.some(id => ids.includes(id))) { // and not another group that has its key now
      const held = before.contains(document.activeElement);
      const restore = keepTyping(before, fresh);
      before.replaceWith(fresh);
      restore(held);
    }
    return fresh;
  });
  const held = document.activeElement;
  const isSame = wanted.length === box.children.length && wanted.every((card, n) => card === box.children[n]);
  if (!isSame) box.replaceChildren(...wanted);
  if (held !== document.activeElement && box.contains(held)) held.focus({ preventScroll: true });
}

/** Draw all cards; those that show the same as before stay as they are. */
export function drawCards() {
  place(by("groups"), page.groups.map(group => [`g:${group.key}`, group.ids, () => groupCard(group), group]));
  by("groups").removeAttribute("aria-busy");
  const lonely = alone();
  place(by("alone"), lonely.map(id => [`a:${id}`, [id], () => {
    const row = answerRow(id);
    row.classList.add("card");
    return row;
  }]));
  by("alone-title").hidden = !lonely.length;
  by("cut").textContent = `${counted(page.groups.length, "group")} and ${lonely.length} alone`;
}
