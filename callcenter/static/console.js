// The operator's console: draws the snapshot that the server sends, and posts what the operator does.

import { beep, setVolume, unlock, volume } from "./beep.js";
import { CallActs } from "./call_acts.js";
import { CallbackBox } from "./callback.js";
import { Picture } from "./console_picture.js";
import * as keys from "./keys.js";
import { Live } from "./live.js";
import { NoteBar } from "./note_bar.js";
import { PreviewBox } from "./preview.js";
import { RecordingBar } from "./recording_bar.js";
import { ownTab } from "./tab.js";
import { serverNow } from "./timer.js";
import { Training } from "./training.js";
import { Unsent } from "./unsent.js";

const SEEN_MS = 4000;
const NOTE_MS = 800;

const root = document.getElementById("console");
const byId = (id) => document.getElementById(id);
const readJson = (id) => JSON.parse(byId(id).textContent);
const words = readJson("console-words");
const picture = new Picture(root, words);
const isTraining = "training" in root.dataset;
let state = null;
let phone = null; // with a real switch only
let opening = null; // its module on the way: nobody connects past it
let noteTimer;

const onRefused = (sentence) => {
  picture.say(words.refused.replace("%(why)s", sentence), "warning");
  if (!isTraining) refresh();
};
const acts = isTraining
  ? new Training(readJson("console-state"), readJson("training-people"), show)
  : new Unsent(root.dataset.url, {
      onState: (snapshot, act) => {
        show(snapshot);
        if (act.path.endsWith("/note")) picture.noteIsSaved();
      },
      onRefused,
      onWaiting: (number) => picture.waits(number),
      onSignedOut: () => picture.say(words.session_over, "danger"),
    });
const recordingBar = new RecordingBar((path, body) => acts.send(path, body));
const noteBar = new NoteBar(byId("floor-notes"), words, (id) => acts.send(`notes/${id}/seen`));
const callback = new CallbackBox({
  url: (call, what) => (isTraining ? `${root.dataset.url}training/${what}` : `${root.dataset.url}calls/${call}/${what}`),
  hasTimes: !isTraining,
  save: (chosen) => dispose("callback", chosen),
  cancel: () => arm(true),
});

const preview = isTraining ? null : new PreviewBox(words, picture, (path, body) => acts.send(path, body));
const callActs = isTraining ? null : new CallActs({ send: (path, body) => acts.send(path, body), words: words.acts, url: root.dataset.url });

/** Show a snapshot; an older one than what is on the screen is dropped. */
function show(next) {
  if (state && next.server_now < state.server_now) return;
  const before = state;
  state = next;
  const wasIn = before?.call?.id;
  picture.draw(next, before);
  recordingBar.draw(next);
  noteBar.draw(next.notes ?? []);
  callActs?.draw(next);
  preview?.draw(next);
  phone?.believe(next);
  if (next.call && next.call.id !== wasIn) arrive(next);
  if (!next.call && wasIn) leaveCall();
  if (next.call?.state === "wrap_up" && before?.call?.state !== "wrap_up") arm(true);
}

function arrive({ call, operator }) {
  const typed = sessionStorage.getItem(`note:${call.id}`);
  byId("note").value = typed ?? call.note ?? "";
  callback.reset(call.id);
  arm(call.state === "wrap_up" || !call.script_url);
  loadScript(call);
  if (call.state === "connected") beep();
  if (call.state === "connected" && operator.state === "in_call") byId("greeting").focus({ preventScroll: true });
}

function leaveCall() {
  byId("script").replaceChildren();
  callback.reset(null);
}

async function loadScript(call) {
  const isSaid = call.queue.on_behalf_of && call.queue.privacy_notice_url && state.operator.name;
  byId("unsaid").hidden = Boolean(isSaid);
  byId("script").replaceChildren();
  if (!isSaid || !call.script_url) return;
  for (let tries = 0; tries < 30 && state?.call?.id === call.id; tries += 1) {
    // htmx reports a failed answer by itself; an empty place means that there was none.
    await window.htmx.ajax("GET", call.script_url, { target: "#script", swap: "innerHTML" }).catch(() => {});
    if (byId("script").childElementCount) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Number keys choose the outcome when armed, else they answer the script. */
function arm(on) {
  const isOver = state?.call?.state === "wrap_up" || !state?.call?.script_url;
  const armed = on || isOver;
  byId("outcomes").dataset.keys = armed ? "first" : "off";
  byId("outcomes").hidden = !armed;
  byId("script").dataset.keys = armed ? "off" : "first";
  byId("arm").hidden = isOver;
  byId("arm").setAttribute("aria-expanded", String(armed));
  byId("callback").hidden = true;
  if (armed && state?.call) byId("outcome-card").scrollIntoView({ block: "nearest" });
}

function choose(outcome) {
  if (outcome.effect === "callback") {
    byId("outcomes").hidden = true;
    callback.open();
  } else {
    dispose(outcome.code);
  }
}

function dispose(code, more = {}) {
  const call = state?.call;
  if (!call) return;
  clearTimeout(noteTimer);
  acts.send(`calls/${call.id}/dispose`, { code, note: byId("note").value, ...more });
  sessionStorage.removeItem(`note:${call.id}`);
}

function saveNote() {
  const call = state?.call;
  if (!call) return;
  const note = byId("note").value;
  sessionStorage.setItem(`note:${call.id}`, note);
  picture.noteSaved(words.saving);
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => acts.send(`calls/${call.id}/note`, { note }, { replaces: true }), NOTE_MS);
}

const does = {
  connect: async () => {
    await unlock();
    await opening;
    if (phone) phone.connect();
    else acts.send("connect");
  },
  available: () => {
    unlock();
    acts.send("available");
  },
  leave: () => acts.send("leave"),
  "hang-up": () => state?.call && acts.send(`calls/${state.call.id}/hang-up`),
  difficult: () => {
    if (!state?.call) return;
    acts.send(`calls/${state.call.id}/difficult`);
    picture.say(words.difficult, "warning");
  },
  mute: () => phone?.mute(),
  "more-time": () => state?.call && acts.send(`calls/${state.call.id}/more-time`),
  undo: () => state?.undo && acts.send(`calls/${state.undo.call_id}/undo`),
};

async function refresh() {
  try {
    const answer = await fetch(`${root.dataset.url}state`, { headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) show(await answer.json());
  } catch {
    // the banner tells of the lost connection
  }
}

/** The heartbeat; its answer shows whether a snapshot went missing. */
async function seen() {
  try {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const answer = await fetch(`${root.dataset.url}seen`, {
      method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" }, signal: AbortSignal.timeout(SEEN_MS),
    });
    if (!answer.ok || answer.redirected) return;
    const now = await answer.json();
    const differs = now.state !== state.operator.state || now.call_id !== (state.call?.id ?? null);
    if (differs) refresh();
  } catch {
    // away: the next beat tries again
  }
}

function listen() {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button");
    if (!button) return;
    if (button.dataset.act) (does[button.dataset.act] ?? callActs?.does[button.dataset.act] ?? preview?.does[button.dataset.act])?.();
    if (button.dataset.outcome) choose(state.dispositions.find((each) => each.code === button.dataset.outcome));
    if (button.dataset.open) byId(button.dataset.open).showModal();
    if ("close" in button.dataset) button.closest("dialog").close();
    if (button.dataset.pause) {
      button.closest("dialog").close();
      acts.send("pause", { reason: button.dataset.pause });
    }
  });
  byId("arm").addEventListener("click", () => arm(byId("arm").getAttribute("aria-expanded") !== "true"));
  byId("note").addEventListener("input", saveNote);
  byId("note").addEventListener("keydown", (event) => event.key === "Escape" && event.target.blur());
  byId("volume").value = volume();
  byId("volume").addEventListener("input", (event) => setVolume(event.target.value));
  byId("try-beep").addEventListener("click", () => unlock().then(beep));
  byId("single-keys").checked = keys.areOn();
  byId("single-keys").addEventListener("change", (event) => {
    keys.turn(event.target.checked);
    picture.say(event.target.checked ? words.keys_on : words.keys_off);
  });
  // An answer to the script may change the outcome that is suggested.
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const config = event.detail.requestConfig;
    if (!isTraining && config?.verb === "post" && event.detail.successful) refresh();
  });
  // A question is htmx's as soon as it is seen: a quick key would otherwise send its form as a page of its own.
  window.htmx.config.defaultSettleDelay = 0;
  byId("script").addEventListener("submit", (event) => event.preventDefault());
  // A question that comes late takes the focus from nobody who writes: the letters would act as keys.
  let writing = null;
  document.body.addEventListener("htmx:beforeSwap", () => {
    const focused = document.activeElement;
    writing = focused?.closest("#note, #callback, dialog") ? focused : null;
  });
  document.body.addEventListener("htmx:afterSettle", () => writing?.focus({ preventScroll: true }));
  document.addEventListener("pointerdown", () => unlock(), { once: true });
}

/** Only the tab that holds the console telephones. */
async function openPhone() {
  const { ConsolePhone } = await import("./console_phone.js");
  phone = new ConsolePhone(root, words.phone, (path) => acts.send(path));
  phone.believe(state);
}

function start() {
  listen();
  show(readJson("console-state"));
  setInterval(() => {
    picture.tick(state, serverNow());
    preview?.tick(serverNow(), picture.clockAhead);
  }, 250);
  if (isTraining) return;
  const live = new Live([root.dataset.topic], {
    onSnapshot: (topic, snapshot) => show(snapshot),
    onLink: (isUp) => isUp && acts.wake(),
  });
  setInterval(seen, SEEN_MS);
  seen();
  if (words.phone && state.phone) opening = openPhone();
  return live;
}

if (isTraining) start();
else ownTab(byId("tab-dialog"), byId("use-here"), start);
