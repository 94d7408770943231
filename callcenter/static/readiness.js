// Before the first call: is the microphone heard, does the speaker play, is the line open and how good is it?

import { canChooseSpeaker, devices, kept, sendTo } from "./microphone.js";

const LEVEL_MS = 60;
const HEARD = 0.04; // louder than a quiet room
const ECHO_SECONDS = 8;

export class Readiness {
  /** `root`: the card; `phone`: a Phone. */
  constructor(root, phone, words) {
    Object.assign(this, { root, phone, words, wasHeard: false, line: null, echoed: null });
    this.part = (name) => root.querySelector(`[data-check="${name}"]`);
    this.microphones = root.querySelector("#ready-microphone");
    this.speakers = root.querySelector("#ready-speaker");
    this.meter = root.querySelector("meter");
    this.echo = root.querySelector("#echo");
    this.audio = root.querySelector("audio");
    root.querySelector("#try-microphone").addEventListener("click", () => this.tryMicrophone());
    this.microphones.addEventListener("change", () => this.phone.useMicrophone(this.microphones.value));
    this.speakers.addEventListener("change", () => this.useSpeaker());
    this.echo.addEventListener("click", () => this.hearMyself());
    root.querySelector("#ready-speaker-choice").hidden = !canChooseSpeaker();
    root.querySelector("#ready-speaker-none").hidden = canChooseSpeaker();
    setInterval(() => this.tick(), LEVEL_MS);
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.fill());
    this.fill();
  }

  /** Only the microphone: nobody is connected by it. */
  async tryMicrophone() {
    if (await this.phone.prepare()) this.fill();
  }

  async fill() {
    const { microphones, speakers } = await devices();
    options(this.microphones, microphones, this.phone.microphone.usedId ?? kept("microphone"), this.words.default_device);
    options(this.speakers, [{ id: "", label: this.words.default_device }, ...speakers.filter((each) => each.id !== "default")], kept("speaker"), this.words.default_device);
  }

  async fillMicrophones(select) {
    if (document.activeElement === select) return; // somebody is choosing
    const { microphones } = await devices();
    options(select, microphones, this.phone.microphone.usedId, this.words.default_device);
  }

  async useSpeaker() {
    for (const audio of [this.phone.audio, this.audio]) await sendTo(audio, this.speakers.value);
  }

  async hearMyself() {
    if (this.phone.echoing) {
      this.phone.stopEcho();
      return;
    }
    this.echo.setAttribute("aria-pressed", "true");
    this.say("echo", "work", this.words.echo_now);
    this.echoed = await this.phone.echo(this.audio, ECHO_SECONDS);
    this.echo.setAttribute("aria-pressed", "false");
    this.say("echo", this.echoed ? "ok" : "bad", this.echoed ? this.words.echo_done : this.words.echo_failed);
  }

  tick() {
    if (this.root.hidden || !this.root.getClientRects().length) return;
    const level = this.phone.microphone.level();
    this.meter.value = Math.min(1, level * 2);
    if (level > HEARD && !this.wasHeard) {
      this.wasHeard = true;
      this.drawMicrophone();
    }
  }

  measured(line) {
    this.line = line;
    this.drawNetwork();
  }

  draw(state) {
    this.state = state;
    const isLive = this.phone.microphone.isLive;
    if (isLive && this.hadMicrophone !== this.phone.microphone.usedId) {
      this.hadMicrophone = this.phone.microphone.usedId;
      this.wasHeard = false;
      this.fill();
    }
    const tried = this.root.querySelector("#try-microphone");
    if (isLive && document.activeElement === tried) tried.blur(); // a key on what is hidden would act nowhere
    tried.hidden = isLive;
    this.part("echo").hidden = !this.phone.canEcho;
    this.echo.disabled = !this.phone.isRegistered;
    this.drawMicrophone();
    this.drawNetwork();
    const isOpen = state.operator.room_open;
    const isOff = state.operator.state === "offline";
    this.say("line", isOpen ? "ok" : "wait", isOpen ? this.words.line_open : isOff ? this.words.line_closed : this.words.line_opening);
    if (this.echoed === null && !this.phone.echoing) this.say("echo", "wait", this.phone.isRegistered ? this.words.echo_try : this.words.echo_later);
  }

  drawMicrophone() {
    const { phone, words } = this;
    if (!phone.microphone.isLive) this.say("microphone", phone.fault ? "bad" : "wait", phone.fault ? words.faults[phone.fault] : words.microphone_try);
    else this.say("microphone", this.wasHeard ? "ok" : "wait", this.wasHeard ? words.microphone_heard : words.microphone_speak);
  }

  drawNetwork() {
    const quality = this.state?.phone?.quality ?? null;
    if (!this.line || !quality) {
      this.say("network", "wait", this.words.network_later);
      return;
    }
    const figures = {
      trip: this.line.round_trip_ms === null ? "–" : `${Math.round(this.line.round_trip_ms)} ms`,
      loss: this.line.loss === null ? "–" : `${(this.line.loss * 100).toFixed(1)} %`,
    };
    const words = this.words[quality === "good" ? "network_good" : "network_poor"];
    this.say("network", quality === "good" ? "ok" : "bad", words.replace("%(trip)s", figures.trip).replace("%(loss)s", figures.loss));
  }

  say(name, state, sentence) {
    const part = this.part(name);
    part.dataset.state = state;
    const line = part.querySelector("[data-says]");
    if (line.textContent !== sentence) line.textContent = sentence;
  }
}

/** Fill a <select> with devices, keeping the choice. */
function options(select, found, chosen, nameless) {
  const list = found.length ? found : [{ id: "", label: nameless }];
  const made = list.map((each, index) => new Option(each.label || `${nameless} ${index + 1}`, each.id, false, each.id === chosen));
  select.replaceChildren(...made);
}
