// Apply the stored choice of light or dark before the page is drawn.
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
addEventListener("DOMContentLoaded", () => {
  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
  // The server renders the pseudonyms, so hiding names sets a cookie and reloads the page.
  const names = document.getElementById("names");
  names.addEventListener("click", () => {
    const hide = names.getAttribute("aria-pressed") !== "true";
    document.cookie = `names=${hide ? "hidden" : "shown"}; path=/; max-age=31536000; samesite=strict`;
    location.reload();
  });
});
