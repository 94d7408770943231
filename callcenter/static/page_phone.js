// What every telephone in the page is, whoever carries its sound: a microphone, a registration, one line that the server
// rings and the page keeps. The server is the truth about calls. Usable on any page:
//   const phone = new Phone({ accountUrl, libraryUrl, audio, onChange(phone) {…}, onLost() {…} });
//   await phone.start();    phone.stop();    phone.mute(true);    await phone.echo(audio, seconds);    await phone.measure();
// A kind of telephone adds: isLoaded, connection, hasLine, isReconnecting, register(), registerAgain(), useTrack(track),
// announce(), measure(), stop(); and echo(), stopEcho() where canEcho: Twilio offers no number that says what one says.

import { fault, kept, Microphone, sendTo } from "./microphone.js";

const AGAIN_MS = 5000; // between two of the same request to the server

export class PagePhone {
  /** `onChange(phone)` after every change of what it shows: `fault` (a code or null), `isRegistered`, `hasLine`,
   * `isMuted`, `isReconnecting`. `onLost()`: the line must be rung again. */
  constructor({ accountUrl, libraryUrl, audio, onChange = () => {}, onLost = () => {} }) {
    Object.assign(this, { accountUrl, libraryUrl, audio, onChange, onLost, asked: {} });
    this.fault = this.line = this.echoing = null;
    this.isRegistered = this.canEcho = false;
    this.microphone = new Microphone({
      onLost: () => this.say("unplugged"),
      onBack: (microphones, isHere) => this.devicesChanged(microphones, isHere),
    });
    this.microphone.listeners.add((track) => this.useTrack(track));
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  get isOn() {
    return Boolean(this.connection);
  }

  get isMuted() {
    return this.microphone.isMuted;
  }

  /** The microphone and the library: what can fail here is said before anybody counts on us. True when both are there. */
  prepare() {
    return this.attempt(() => Promise.all([this.microphone.isLive || this.microphone.open(), this.load()]));
  }

  /** Microphone, account, registration; the server rings then. True when it got so far. */
  start() {
    this.starting ??= this.prepare()
      .then((isReady) => isReady && (this.isOn ? this.registerAgain() : this.attempt(() => this.register())))
      .finally(() => (this.starting = null));
    return this.starting;
  }

  async attempt(work) {
    this.say(null);
    try {
      await work();
      this.onChange(this);
      return true;
    } catch (error) {
      this.say(codeOf(error));
      return false;
    }
  }

  /** The library itself, fetched only by those who telephone. */
  load() {
    if (this.isLoaded) return null;
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = this.libraryUrl;
      script.onload = resolve;
      script.onerror = () => reject(fault("unreachable"));
      document.head.append(script);
    });
  }

  /** What the server gives this log-in to register with. */
  async askAccount() {
    const answer = await post(this.accountUrl);
    if (!answer.ok) throw fault(answer.status === 409 ? "no_switch" : "unreachable");
    return answer.json();
  }

  registered(is) {
    this.isRegistered = is;
    if (is && ["unreachable", "refused"].includes(this.fault)) this.fault = null;
    this.onChange(this);
  }

  /** The server's picture is believed: what it does not see of us is done again. To be called each second. */
  believe({ operator, phone }) {
    if (operator.state === "offline") {
      if (this.isOn) this.stop();
      return;
    }
    if (!this.isOn) return;
    if (this.isRegistered && !phone?.registered && this.isDue("register")) this.announce();
    if (operator.room_open && !this.hasLine && this.isRegistered && phone?.registered && this.isDue("line")) this.onLost();
  }

  /** True when the same was wanted some seconds ago too: until then the news may be on their way. */
  isDue(what) {
    const now = Date.now();
    const since = now - (this.asked[what] ?? 0);
    if (since < AGAIN_MS / 2) return false;
    this.asked[what] = now;
    return since < AGAIN_MS * 2;
  }

  mute(on) {
    this.microphone.mute(on);
    this.onChange(this);
  }

  /** Use another microphone from now on, also in the call. */
  async useMicrophone(id) {
    try {
      await this.microphone.open(id);
      this.say(null);
    } catch (error) {
      this.say(codeOf(error, "busy"));
    }
  }

  echo() {
    return Promise.resolve(false);
  }

  stopEcho() {}

  async devicesChanged(microphones, isHere) {
    sendTo(this.audio, kept("speaker"));
    if (this.fault === "unplugged" && isHere) await this.useMicrophone(this.microphone.usedId);
    else this.onChange(this, microphones);
  }

  /** Nothing of the microphone stays open. */
  release() {
    this.isRegistered = false;
    this.microphone.mute(false);
    this.microphone.close();
    this.say(null);
  }

  say(code) {
    this.fault = code;
    this.onChange(this);
  }
}

/** A POST of this page to its own server. */
export function post(address, told) {
  const csrf = document.querySelector('meta[name="csrf-token"]').content;
  const headers = { "X-CSRFToken": csrf, Accept: "application/json" };
  if (told === undefined) return fetch(address, { method: "POST", headers });
  return fetch(address, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(told) });
}

// What our own parts call a fault (phone_words.py); libraries' errors carry numbers.
const CODES = ["insecure", "no_webrtc", "blocked", "no_microphone", "busy", "no_switch", "unreachable", "refused"];

export function codeOf(error, otherwise = "unreachable") {
  return CODES.includes(error.code) ? error.code : otherwise;
}
