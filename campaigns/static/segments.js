// The segment editor: conditions are removed here; everything else is htmx.

const form = document.querySelector("[data-rule]");

/** Count again, although no input changed. */
function recount() {
  form.dispatchEvent(new CustomEvent("recount"));
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove-clause]");
  if (!button) return;
  const clause = button.closest("[data-clause]");
  const next = clause.nextElementSibling ?? clause.previousElementSibling;
  clause.remove();
  (next?.querySelector("select") ?? form.querySelector("button[hx-get]")).focus();
  recount();
});

form.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "count") recount();
});
