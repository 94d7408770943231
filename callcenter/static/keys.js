// Single keys: [data-key="1"] is clicked (or focused, when it is a field) by its key, outside text fields only.
// Of two with the same key the one inside [data-keys="first"] is meant; inside [data-keys="off"] none is.

const SETTING = "convoca:single-keys";
const FIELDS = "input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=button]), textarea, select, [contenteditable]";
const OWN_KEYS = "button, a, summary, [role=switch], input";

export const areOn = () => localStorage.getItem(SETTING) !== "off";
export const turn = (on) => localStorage.setItem(SETTING, on ? "on" : "off");

const isReady = (element) => !element.disabled && element.getClientRects().length > 0 && !element.closest('[data-keys="off"]');

function wanted(key) {
  const dialog = document.querySelector("dialog[open]");
  const root = dialog ?? document;
  const found = [...root.querySelectorAll("[data-key]")].filter((each) => each.dataset.key === key && isReady(each));
  return found.find((each) => each.closest('[data-keys="first"]')) ?? found[0];
}

document.addEventListener("keydown", (event) => {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (target.closest(FIELDS) || !areOn()) return;
  if ((event.key === "Enter" || event.key === " ") && target.closest(OWN_KEYS)) return; // the browser presses it
  if (event.key.startsWith("Arrow") && target.closest("[role=menu], .dropdown-menu, input")) return;
  const element = wanted(event.key.length === 1 ? event.key.toLowerCase() : event.key);
  if (!element) return;
  event.preventDefault();
  if (element.matches(FIELDS)) element.focus();
  else element.click();
});
