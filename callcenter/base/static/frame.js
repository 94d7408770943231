// What every page does: confirm what cannot be undone, tell of htmx failures in words, move focus to faults.

const live = document.getElementById("live-region");

/** Say a sentence to a screen reader and show it for a while. `kind`: "info" | "success" | "warning" | "danger". */
export function say(sentence, kind = "info") {
  const box = document.createElement("div");
  box.className = `toast-line alert alert-${kind} shadow mb-2`;
  box.textContent = sentence;
  live.append(box);
  setTimeout(() => box.remove(), kind === "danger" || kind === "warning" ? 12000 : 5000);
}

/** The headers of a POST by script: the CSRF token of this page. */
export function csrfHeaders() {
  return { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content };
}

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-print]");
  if (button) window.print();
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => say(copy.dataset.copied, "success"));
});

document.addEventListener("htmx:configRequest", (event) => {
  Object.assign(event.detail.headers, csrfHeaders());
});

document.addEventListener("htmx:responseError", (event) => {
  let sentence = document.body.dataset.failed;
  try {
    sentence = JSON.parse(event.detail.xhr.responseText).error ?? sentence;
  } catch {
    // an answer that is not JSON: the general sentence stays
  }
  say(sentence, "danger");
});

document.addEventListener("htmx:sendError", () => say(document.body.dataset.offline, "danger"));

for (const bar of document.querySelectorAll("[data-percent]")) bar.style.width = `${bar.dataset.percent}%`;
document.addEventListener("htmx:afterSettle", (event) => {
  for (const bar of event.target.querySelectorAll("[data-percent]")) bar.style.width = `${bar.dataset.percent}%`;
});

document.querySelector("main .is-invalid")?.focus();

// The parts of the header ask again now and then, but never under the hand of somebody who has one open.
setInterval(() => {
  if (document.hidden) return;
  for (const part of document.querySelectorAll(".header-part")) {
    if (!part.querySelector(".show") && !part.contains(document.activeElement)) window.htmx?.trigger(part, "header-part");
  }
}, 20_000);
