// The telephone on the operator's console: sound check, mute, the line's quality, and what to do when sound fails.

import { Phone } from "./phone.js";
import { Readiness } from "./readiness.js";
import { TwilioPhone } from "./twilio_phone.js";

const MEASURE_MS = 5000;
const byId = (id) => document.getElementById(id);
const csrfToken = () => document.querySelector('meta[name="csrf-token"]').content;

export class ConsolePhone {
  /** `words`: the page's phone words; `send(path)`: an act that answers with a snapshot. */
  constructor(root, words, send) {
    Object.assign(this, { root, words, send, state: null, hasTried: false });
    this.url = `${root.dataset.url}phone/`;
    const Kind = root.dataset.phone === "twilio" ? TwilioPhone : Phone;
    this.phone = new Kind({
      accountUrl: `${this.url}account`, readyUrl: root.dataset.ready, silence: root.dataset.silence, libraryUrl: root.dataset.library, audio: byId("phone-audio"),
      onChange: () => this.draw(), onLost: () => this.send("phone/redial"),
    });
    this.readiness = new Readiness(byId("readiness"), this.phone, words);
    byId("phone-again").addEventListener("click", () => this.again());
    byId("phone-microphone").addEventListener("change", (event) => this.phone.useMicrophone(event.target.value));
    setInterval(() => this.state && this.phone.believe(this.state), 1000);
    setInterval(() => this.measure(), MEASURE_MS);
  }

  /** The microphone first: who cannot be heard is not connected. */
  async connect() {
    if (await this.phone.prepare()) this.send("connect");
  }

  again() {
    if (this.state?.operator.state === "offline") this.connect();
    else this.phone.useMicrophone(byId("phone-microphone").value).then(() => this.phone.start());
  }

  /** Each snapshot. After a reload the page comes back into its room by itself. */
  believe(state) {
    const isOff = state.operator.state === "offline";
    const hadCall = this.state?.call?.id;
    this.state = state;
    if (isOff) this.hasTried = false;
    else if (!this.phone.isOn && !this.hasTried) {
      this.hasTried = true;
      this.phone.start();
    }
    if (state.call?.id !== hadCall || state.operator.state !== "in_call") this.phone.mute(false); // each call begins heard
    this.phone.believe(state);
    this.draw();
  }

  mute() {
    if (this.state?.operator.state === "in_call") this.phone.mute(!this.phone.isMuted);
  }

  async measure() {
    const line = await this.phone.measure().catch(() => null);
    this.readiness.measured(line);
    if (!line) return;
    fetch(`${this.url}quality`, {
      method: "POST",
      headers: { "X-CSRFToken": csrfToken(), "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(line),
      signal: AbortSignal.timeout(MEASURE_MS),
    }).catch(() => {}); // the next one comes in five seconds
  }

  draw() {
    const { phone, words, state } = this;
    if (!state) return;
    const mute = byId("mute");
    mute.setAttribute("aria-pressed", String(phone.isMuted));
    mute.classList.toggle("btn-warning", phone.isMuted);
    mute.classList.toggle("btn-outline-secondary", !phone.isMuted);
    mute.querySelector("[data-mute-word]").textContent = phone.isMuted ? words.unmute : words.mute;
    const muted = byId("muted");
    const isMuted = phone.isMuted && state.operator.state === "in_call";
    if (muted.hidden === isMuted) muted.hidden = !isMuted;
    this.drawLine();
    this.drawFault();
    this.readiness.draw(state);
  }

  /** The room and the line in words; the colour only repeats them. */
  drawLine() {
    const { phone, words, state } = this;
    const isOff = state.operator.state === "offline";
    const quality = state.phone?.quality ?? "none";
    const key = isOff ? "off" : phone.isReconnecting && phone.hasLine ? "reconnecting" : !state.operator.room_open ? "opening" : quality;
    const badge = byId("phone-line");
    if (badge.dataset.line === key) return;
    badge.dataset.line = key;
    badge.querySelector("span").textContent = words.lines[key];
  }

  drawFault() {
    const { phone, words } = this;
    const box = byId("phone-fault");
    const code = phone.fault ?? (this.state.phone?.fault && !phone.isRegistered ? "not_opened" : null);
    if (box.dataset.fault !== (code ?? "")) {
      box.dataset.fault = code ?? "";
      box.hidden = !code;
      box.querySelector("[data-fault-word]").textContent = code ? words.faults[code] : "";
      byId("phone-again").hidden = ["insecure", "no_webrtc", "click"].includes(code);
    }
    const wantsChoice = ["unplugged", "no_microphone", "busy"].includes(code);
    byId("phone-choice").hidden = !wantsChoice;
    if (wantsChoice) this.readiness.fillMicrophones(byId("phone-microphone"));
  }
}
