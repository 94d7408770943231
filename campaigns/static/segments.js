// The segment builder: everything it keeps is on the server; here only what helps the hand. Works without, too.

const WAIT = 200; // milliseconds without a letter before values are looked up

/** Narrow the buttons of a picker to those whose words hold what was typed. */
function narrow(search) {
  const picker = search.closest("[data-picker]");
  const wanted = plain(search.value);
  let found = 0;
  for (const group of picker.querySelectorAll("[data-picker-group]")) {
    const isGroup = plain(group.getAttribute("aria-label")).includes(wanted);
    let inGroup = 0;
    for (const button of group.querySelectorAll("button")) {
      button.hidden = !(isGroup || plain(button.textContent).includes(wanted));
      inGroup += button.hidden ? 0 : 1;
    }
    group.hidden = inGroup === 0;
    found += inGroup;
  }
  picker.querySelector(".picker-none").hidden = found > 0;
}

/** A text without accents and case: `Sección` is found by `seccion`. */
function plain(text) {
  return text.trim().toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
}

let waiting;

/** Ask for values that hold what was typed, for the list below the field. */
function suggest(input) {
  clearTimeout(waiting);
  const list = input.list;
  waiting = setTimeout(async () => {
    const address = new URL(list.dataset.suggest, location.href);
    address.searchParams.set("typed", input.value);
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok && input.isConnected) list.innerHTML = await answer.text();
  }, WAIT);
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-picker-search]")) narrow(event.target);
  else if (event.target.list?.dataset.suggest) suggest(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-picker-search]")) return;
  event.preventDefault(); // the first button that is left, not the form's own
  event.target.closest("[data-picker]").querySelector("[data-picker-group]:not([hidden]) button:not([hidden])")?.click();
});

// An answer drawn of a form that has changed since would take back what was typed meanwhile: it is asked for again.
const form = document.getElementById("rule");
const asked = new WeakMap();

/** What the form holds now. */
function held() {
  return new URLSearchParams(new FormData(form)).toString();
}

form?.addEventListener("htmx:configRequest", (event) => {
  asked.set(event.target, held());
});

form?.addEventListener("htmx:beforeSwap", (event) => {
  const { elt } = event.detail.requestConfig;
  if (!asked.has(elt) || asked.get(elt) === held() || event.detail.xhr.status >= 400) return;
  event.detail.shouldSwap = false;
  window.htmx.trigger(elt, elt.matches("button") ? "click" : "change");
});
