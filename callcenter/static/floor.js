// The supervisor's floor and its wallboard: news make the board fetch itself; acts answer with the new board.

import { beep, unlock } from "./beep.js";
import "./timer.js";

const PAUSE_MS = 1000;
const OLD_MS = 20000; // figures older than this say so
const SOUND = "convoca:alarms";
const board = document.getElementById("board");
const dialog = document.getElementById("pause-queue");
const noteDialog = document.getElementById("write-note");
const soundButton = document.getElementById("alarm-sound");
const query = new URL(board.dataset.url, location.href).search; // acts answer with the board as it is filtered
let waiting = false;
let drawnAt = Date.now();
let known = new Set(alarms().keys()); // what stands there when the page opens is read, not rung

function draw(html) {
  const focused = document.activeElement?.id;
  const inside = board.contains(document.activeElement);
  board.innerHTML = html;
  drawnAt = Date.now();
  board.classList.remove("is-old");
  ring();
  if (inside && focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function ask(url, options = {}) {
  const answer = await fetch(url, { headers: { Accept: "text/html, application/json;q=0.9" }, ...options });
  if (answer.redirected) location.reload();
  else if (answer.ok) draw(await answer.text());
  else say((await answer.json().catch(() => ({}))).error ?? document.body.dataset.failed);
}

/** What should make somebody look up now: key → words. */
function alarms() {
  return new Map([...board.querySelectorAll("[data-alarm]")].map((each) => [each.dataset.alarm, each.textContent]));
}

/** A new alarm is said once, and heard where sound is on; it is new again after it was over. */
function ring() {
  const now = alarms();
  const fresh = [...now].filter(([key]) => !known.has(key));
  known = new Set(now.keys());
  if (!fresh.length) return;
  if (soundIsOn()) beep();
  say(fresh.map(([, words]) => words).join(" · "));
}

const soundIsOn = () => localStorage.getItem(SOUND) === "on";

function showSound() {
  soundButton.setAttribute("aria-pressed", String(soundIsOn()));
  soundButton.querySelector("[data-words]").textContent = soundIsOn() ? soundButton.dataset.on : soundButton.dataset.off;
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
  return ask(url + query, { method: "POST", headers, body }).catch(() => say(document.body.dataset.offline));
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
  if ("note" in button.dataset) writeNote(button);
  if (button.dataset.ask) {
    dialog.dataset.url = button.dataset.ask;
    dialog.querySelector("[data-name]").textContent = button.dataset.name;
    dialog.returnValue = "";
    dialog.showModal();
  }
});
const written = (form) => new URLSearchParams(new FormData(form)).toString();

dialog?.addEventListener("close", () => {
  if (dialog.returnValue === "yes") post(dialog.dataset.url, written(dialog.querySelector("form")));
});

/** The dialog of a note, with its addressee chosen; what was typed and not sent is still there. */
function writeNote(button) {
  const to = noteDialog.querySelector("select");
  to.querySelectorAll("[data-one]").forEach((each) => each.remove());
  if (button.dataset.note) {
    const one = new Option(button.dataset.name, button.dataset.note);
    one.dataset.one = "";
    to.append(one);
  }
  to.value = button.dataset.note;
  noteDialog.returnValue = "";
  noteDialog.showModal();
  noteDialog.querySelector("textarea").focus();
}

document.getElementById("write-to-all")?.addEventListener("click", (event) => writeNote(event.currentTarget));
noteDialog?.addEventListener("close", () => {
  if (noteDialog.returnValue !== "yes") return;
  const form = noteDialog.querySelector("form");
  post(noteDialog.dataset.url, written(form));
  form.querySelector("textarea").value = "";
});

document.getElementById("floor-filter")?.addEventListener("change", (event) => event.currentTarget.requestSubmit());
document.getElementById("full-screen")?.addEventListener("click", () => document.documentElement.requestFullscreen?.());
soundButton.addEventListener("click", () => {
  localStorage.setItem(SOUND, soundIsOn() ? "off" : "on");
  showSound();
  if (soundIsOn()) unlock().then(beep);
});
document.addEventListener("pointerdown", () => soundIsOn() && unlock(), { once: true }); // no sound before a first click
showSound();
setInterval(refresh, 15000); // thresholds pass without any news
setInterval(() => board.classList.toggle("is-old", Date.now() - drawnAt > OLD_MS), 1000);
