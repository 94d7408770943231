// The interview's question in a page: what was typed survives a reload, and an answer that found no server is sent
// again until it is saved. The request carries a key, so the server counts it once.
const WAIT_MS = 2000;

const draftKey = (field) => `draft:${field.closest("[data-interview]").dataset.interview}:${field.dataset.draft}`;

function restoreDrafts() {
  for (const field of document.querySelectorAll(".interview [data-draft]")) {
    const draft = sessionStorage.getItem(draftKey(field));
    if (draft !== null && !field.value) field.value = draft;
  }
}

document.addEventListener("input", (event) => {
  const field = event.target;
  if (field instanceof HTMLElement && field.matches(".interview [data-draft]")) {
    sessionStorage.setItem(draftKey(field), field.value);
  }
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!event.detail.successful || !(form instanceof HTMLElement) || form.id !== "answer") return;
  for (const field of form.querySelectorAll("[data-draft]")) sessionStorage.removeItem(draftKey(field));
});

function sendAgain(event) {
  const form = event.detail.elt;
  const interview = form instanceof HTMLElement ? form.closest("[data-interview]") : null;
  const status = event.detail.xhr ? event.detail.xhr.status : 0;
  if (!interview || form.id !== "answer" || (status >= 400 && status < 500)) return;
  interview.querySelector(".lost").hidden = false;
  const { path, parameters } = event.detail.requestConfig;
  setTimeout(() => {
    if (!interview.isConnected) return;
    window.htmx.ajax("POST", path, { source: form, target: interview, swap: "outerHTML", values: parameters });
  }, WAIT_MS);
}

document.addEventListener("htmx:sendError", sendAgain);
document.addEventListener("htmx:timeout", sendAgain);
document.addEventListener("htmx:responseError", sendAgain);
document.addEventListener("htmx:afterSettle", restoreDrafts);
restoreDrafts();
