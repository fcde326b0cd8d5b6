"use strict";
(() => {
  const root = document.documentElement;

  // Names: shown, or replaced by "author 1", "answer 1".
  const names = document.getElementById("hide-names");
  if (names) {
    names.hidden = false;
    names.addEventListener("click", () => {
      const hidden = root.classList.toggle("names-hidden");
      names.setAttribute("aria-pressed", String(hidden));
      fillSelects();
    });
  }

  // Light or dark: the system's setting, until the reader chooses.
  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  // A link to something inside a closed <details> opens it; one to a hidden finding shows all.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.closest("#findings [hidden]")) {
      document.getElementById("show-all").click();
      setTimeout(() => target.scrollIntoView());
    }
    const folded = target && target.closest("details");
    if (folded && !folded.open) {
      folded.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();

  // Open every <details> for printing.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });

  // -- filters and orders: all findings are in the page, and are hidden or moved ------------------

  const by = id => document.getElementById(id);
  const findings = [...document.querySelectorAll("#findings .finding")];
  const tools = by("tools");

  /** Return the text of an element as it is displayed, with names or with what replaces them. */
  function displayed(element) {
    const copy = element.cloneNode(true);
    const unseen = root.classList.contains("names-hidden") ? ".name" : ".alias";
    for (const one of copy.querySelectorAll(unseen)) one.remove();
    return copy.textContent.trim();
  }

  const rows = findings.map(article => {
    const place = document.createComment("");
    article.before(place);
    return {
      article, place, section: article.closest("section.question"),
      authors: new Map([...article.querySelectorAll(".who")].map(who => [who.textContent, who])),
      text: article.textContent.toLowerCase(),
    };
  });

  function fill(select, options) {
    const chosen = select.value;
    select.replaceChildren(new Option("all", ""), ...options.map(([value, label]) => new Option(label, value)));
    select.value = chosen;
  }

  function fillSelects() {
    const sections = [...new Set(rows.map(row => row.section))];
    fill(by("by-question"), sections.map(one => [one.id, displayed(one.querySelector("h3"))]));
    const authors = new Map(rows.flatMap(row => [...row.authors]));
    const named = [...authors].map(([key, who]) => [key, displayed(who)]);
    fill(by("by-author"), named.sort((a, b) => a[1].localeCompare(b[1], undefined, { numeric: true })));
  }

  function filter() {
    const [words, question, verdict, author, decision, order] =
      ["by-text", "by-question", "by-verdict", "by-author", "by-decision", "order"].map(id => by(id).value);
    const text = words.trim().toLowerCase();
    for (const { article, ...row } of rows) {
      article.hidden = !((!text || row.text.includes(text)) && (!question || row.section.id === question)
        && (!verdict || article.dataset.verdict === verdict) && (!author || row.authors.has(author))
        && (!decision || article.dataset.decision === decision));
    }
    const key = row => (order === "open" && !["open", "asked"].includes(row.article.dataset.decision) ? 1e9 : 0)
      + Number(row.article.dataset.number);
    if (order) by("sorted").append(...[...rows].sort((a, b) => key(a) - key(b)).map(row => row.article));
    else for (const row of rows) row.place.after(row.article);
    const shown = rows.filter(row => !row.article.hidden);
    const active = text || question || verdict || author || decision || order;
    for (const section of document.querySelectorAll("section.question")) {
      section.hidden = Boolean(active) && !shown.some(row => !order && row.section === section);
    }
    if (active) for (const row of shown) if (row.article.closest("details")) row.article.closest("details").open = true;
    by("shown").textContent = `${shown.length} of ${rows.length} findings`;
  }

  if (findings.length) {
    tools.hidden = false;
    fillSelects();
    filter();
    tools.addEventListener("input", filter);
    by("show-all").addEventListener("click", () => {
      for (const field of tools.querySelectorAll("input, select")) field.value = "";
      filter();
    });
  }

  // -- decisions: kept in the page until they are saved as a file for `searchkit decisions --import` --

  const made = new Map(); // number of a finding -> decision
  const save = by("save");
  const LABELS = { confirmed: "Confirm", asked: "Ask the student", dismissed: "Dismiss", open: "Open again" };
  const BADGES = { confirmed: ["✓ confirmed", "bad"], asked: ["? ask the student", "warn"], dismissed: ["✗ dismissed", ""] };
  const manifest = save && JSON.parse(by("manifest").textContent);

  function element(tag, properties, ...children) {
    const one = Object.assign(document.createElement(tag), properties);
    one.append(...children);
    return one;
  }

  function decide(article, decision, reason) {
    const { left, right } = manifest.findings[article.dataset.number - 1];
    article.dataset.decision = decision;
    for (const button of article.querySelectorAll("[data-decide]")) {
      button.setAttribute("aria-pressed", String(button.dataset.decide === decision));
    }
    article.querySelector(".decision").replaceChildren(...(decision === "open" ? [] : [badge(decision)]));
    article.querySelector(".decided")?.remove();
    made.set(article.dataset.number, {
      left, right, decision, reason, decided_at: new Date().toISOString().slice(0, 19) + "+00:00",
      left_sha: manifest.answers[left] || null, right_sha: manifest.answers[right] || null,
    });
    save.disabled = false;
    save.textContent = `Save ${made.size} ${made.size === 1 ? "decision" : "decisions"}`;
  }

  function badge(decision) {
    const [label, tone] = BADGES[decision];
    return element("span", { className: `badge ${tone}`, textContent: label });
  }

  /** Return the note that is stored with a decision, with names; empty if there is none. */
  function storedNote(article) {
    const copy = article.querySelector(".decided bdi")?.cloneNode(true);
    for (const one of copy?.querySelectorAll(".alias") ?? []) one.remove();
    return copy?.textContent ?? "";
  }

  function addButtons({ article }) {
    const note = element("textarea", { rows: 1, maxLength: 2000, id: `note-${article.id}`, dir: "auto", value: storedNote(article) });
    const buttons = Object.entries(LABELS).map(([decision, label]) => {
      const button = element("button", { type: "button", className: "button", textContent: label });
      button.dataset.decide = decision;
      button.setAttribute("aria-pressed", String(decision === article.dataset.decision && decision !== "open"));
      button.addEventListener("click", () => decide(article, decision, note.value));
      return button;
    });
    note.addEventListener("change", () => decide(article, article.dataset.decision, note.value));
    const label = element("label", { htmlFor: note.id, textContent: "Note" });
    // A note may name people, so it isn't shown while names are hidden.
    const bar = element("div", { className: "actions" }, ...buttons, element("span", { className: "note" }, label, note));
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Decision");
    article.append(bar);
  }

  if (save && findings.length) {
    rows.forEach(addButtons);
    save.addEventListener("click", () => {
      const text = JSON.stringify([...made.values()], null, 1) + "\n";
      const link = element("a", { download: "decisions.json" });
      link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      save.disabled = true;
    });
    addEventListener("beforeunload", event => {
      if (!save.disabled) event.preventDefault();
    });
  }

  // The keys j and k move to the next and previous finding that is shown.
  if (findings.length) by("keys").hidden = false;
  let current = null;
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const step = { j: 1, k: -1 }[event.key];
    const shown = [...document.querySelectorAll("#findings .finding:not([hidden])")];
    if (!step || !shown.length) return;
    const at = shown.indexOf(current) + step;
    current = shown[Math.min(shown.length - 1, Math.max(0, at))];
    const folded = current.closest("details");
    if (folded) folded.open = true;
    current.tabIndex = -1;
    current.focus({ preventScroll: true });
    current.scrollIntoView();
  });
})();
