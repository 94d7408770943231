// Loaded first and blocking, so that a page is never painted in the wrong colours. The server already set the
// theme of a person who chose one; here only "as the system" is answered, and followed when the system changes.
(function () {
  const root = document.documentElement;
  if (root.dataset.theme !== "system") return;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  dark.addEventListener("change", apply);
  apply();
})();
