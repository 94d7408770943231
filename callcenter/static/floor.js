// The supervisor's floor: news make the board fetch itself; acts answer with the new board.

import "./timer.js";

const PAUSE_MS = 1000;
const board = document.getElementById("board");
const dialog = document.getElementById("pause-queue");
let waiting = false;
let drawnAt = 0;

function draw(html) {
  const focused = document.activeElement?.id;
  const inside = board.contains(document.activeElement);
  board.innerHTML = html;
  drawnAt = Date.now();
  if (inside && focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function ask(url, options = {}) {
  const answer = await fetch(url, { headers: { Accept: "text/html, application/json;q=0.9" }, ...options });
  if (answer.redirected) location.reload();
  else if (answer.ok) draw(await answer.text());
  else say((await answer.json().catch(() => ({}))).error ?? document.body.dataset.failed);
}

function say(sentence) {
  const line = document.createElement("div");
  line.className = "toast-line alert alert-warning shadow mb-2";
  line.textContent = sentence;
  document.getElementById("live-region").append(line);
  setTimeout(() => line.remove(), 12000);
}

function post(url, body = "") {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const headers = { "X-CSRFToken": token, Accept: "text/html", "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded" };
  return ask(url, { method: "POST", headers, body }).catch(() => say(document.body.dataset.offline));
}

/** At most one fetch a second, however fast the news come. */
function refresh() {
  if (waiting) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    ask(board.dataset.url).catch(() => {}); // the banner tells of the lost connection
  }, Math.max(0, drawnAt + PAUSE_MS - Date.now()));
}

board.addEventListener("live", refresh);
board.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("button");
  if (!button) return;
  if (button.dataset.post) post(button.dataset.post, button.dataset.body);
  if (button.dataset.ask) {
    dialog.dataset.url = button.dataset.ask;
    dialog.querySelector("[data-name]").textContent = button.dataset.name;
    dialog.returnValue = "";
    dialog.showModal();
  }
});
dialog.addEventListener("close", () => {
  if (dialog.returnValue === "yes") post(dialog.dataset.url, new URLSearchParams(new FormData(dialog.querySelector("form"))).toString());
});
setInterval(refresh, 15000); // thresholds pass without any news
