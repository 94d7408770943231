// The player of a recording: its picture as a place to seek in, speed, and who of the two is heard.
// Without this script the browser's own player below does.

import "./keys.js";
import { clock } from "./timer.js";

const STEP_SECONDS = 5;
const player = document.getElementById("player");
const audio = player.querySelector("audio");
const box = player.querySelector(".wave-box");
const seek = player.querySelector(".wave-seek");
const now = player.querySelector(".wave-now");
const time = player.querySelector("[data-time]");
const length = seek ? Number(seek.max) / 1000 : 0;
let sides = null;

/** The two channels apart, each heard in both ears. Made at the first play: browsers want a click before. */
function split() {
  if (sides) return;
  const context = new AudioContext();
  const source = context.createMediaElementSource(audio);
  const splitter = context.createChannelSplitter(2);
  source.connect(splitter);
  sides = [0, 1].map((channel) => {
    const gain = context.createGain();
    gain.channelCount = 1;
    gain.channelCountMode = "explicit";
    splitter.connect(gain, channel);
    gain.connect(context.destination);
    return gain;
  });
  context.resume();
  balance();
}

/** -100: the citizen only, 0: both, 100: the operator only. */
function balance() {
  const value = Number(document.getElementById("balance").value) / 100;
  if (!sides) return;
  sides[0].gain.value = Math.min(1, 1 - value);
  sides[1].gain.value = Math.min(1, 1 + value);
}

function draw() {
  const all = Number.isFinite(audio.duration) ? audio.duration : length;
  const at = Math.min(audio.currentTime, all);
  const said = player.dataset.of.replace("%(now)s", clock(at)).replace("%(all)s", clock(all));
  if (time.textContent !== said) time.textContent = said;
  if (!seek) return;
  seek.value = String(at * 1000);
  seek.setAttribute("aria-valuetext", said);
  now.style.left = `${all ? (100 * at) / all : 0}%`;
}

function go(seconds) {
  audio.currentTime = Math.max(0, Math.min(length || audio.duration || 0, seconds));
  draw();
}

function showPlaying() {
  const button = player.querySelector("[data-play]");
  const word = button.querySelector("[data-play-word]");
  word.dataset.waiting ??= word.textContent;
  word.textContent = audio.paused ? word.dataset.waiting : word.dataset.playing;
  button.setAttribute("aria-pressed", String(!audio.paused));
  button.querySelector("[data-play-icon]").hidden = !audio.paused;
  button.querySelector("[data-pause-icon]").hidden = audio.paused;
}

function play() {
  split();
  if (audio.paused) audio.play().catch(() => {}); // its own event says what failed
  else audio.pause();
}

function listen() {
  player.querySelector("[data-play]").addEventListener("click", play);
  audio.addEventListener("play", split);
  for (const button of player.querySelectorAll("[data-skip]")) {
    button.addEventListener("click", () => go(audio.currentTime + Number(button.dataset.skip)));
  }
  document.getElementById("speed").addEventListener("change", (event) => {
    audio.playbackRate = Number(event.target.value);
  });
  document.getElementById("balance").addEventListener("input", balance);
  seek?.addEventListener("input", () => go(Number(seek.value) / 1000));
  seek?.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    go(audio.currentTime + step * STEP_SECONDS);
  });
  for (const name of ["timeupdate", "loadedmetadata", "seeked"]) audio.addEventListener(name, draw);
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, showPlaying);
  audio.addEventListener("error", () => {
    player.querySelector("[data-fault]").hidden = false;
  });
}

listen();
draw();
audio.controls = false;
for (const part of [box, player.querySelector(".player-acts")]) if (part) part.hidden = false;
