// The supervisor's listening panel: takes the line of this page, chooses the mode, and draws how things stand.

import "./timer.js";
import { Phone } from "./phone.js";

const root = document.getElementById("listening");
const place = document.getElementById("listen-state");
const words = JSON.parse(document.getElementById("listen-words").textContent);
let phone = null;

function say(sentence) {
  const line = document.createElement("div");
  line.className = "toast-line alert alert-warning shadow mb-2";
  line.textContent = sentence;
  document.getElementById("live-region").append(line);
  setTimeout(() => line.remove(), 12000);
}

function headers(more = {}) {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  return { "X-CSRFToken": token, "HX-Request": "true", ...more };
}

async function ask(url, options = {}) {
  const answer = await fetch(url, options).catch(() => null);
  if (!answer) return say(document.body.dataset.offline);
  if (answer.redirected) return location.reload();
  if (answer.ok) return draw(await answer.text());
  return say((await answer.json().catch(() => ({}))).error ?? document.body.dataset.failed);
}

function draw(html) {
  const focused = document.activeElement?.id;
  place.innerHTML = html;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function ready() {
  if (phone) return true;
  const answer = await fetch(root.dataset.phone, { method: "POST", headers: headers({ Accept: "application/json" }) }).catch(() => null);
  if (!answer?.ok) {
    say((await answer?.json().catch(() => ({})))?.error ?? words.no_phone);
    return false;
  }
  try {
    phone = await Phone.forListening(await answer.json(), document.getElementById("listen-audio"), { onLost: () => say(words.lost) });
    return true;
  } catch {
    say(words.unheard);
    return false;
  }
}

root.addEventListener("change", async (event) => {
  if (event.target.name !== "mode") return;
  const mode = event.target.value;
  if (await ready()) await ask(root.dataset.start, { method: "POST", headers: headers({ "Content-Type": "application/x-www-form-urlencoded" }), body: `mode=${mode}` });
});
root.addEventListener("click", (event) => {
  if (event.target.closest?.("#listen-stop")) ask(root.dataset.stop, { method: "POST", headers: headers() });
});
root.addEventListener("live", () => ask(root.dataset.state));
addEventListener("pagehide", () => navigator.sendBeacon && phone?.close?.());
