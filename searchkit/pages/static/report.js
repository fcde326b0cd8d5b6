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

  // A link to something inside a closed <details> opens it.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
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

  // The keys j and k move to the next and previous finding.
  const findings = [...document.querySelectorAll(".finding")];
  if (findings.length) document.getElementById("keys").hidden = false;
  let at = -1;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { j: 1, k: -1 }[event.key];
    if (!step || !findings.length) return;
    at = Math.min(findings.length - 1, Math.max(0, at + step));
    const folded = findings[at].closest("details");
    if (folded) folded.open = true;
    findings[at].tabIndex = -1;
    findings[at].focus({ preventScroll: true });
    findings[at].scrollIntoView();
  });
})();
