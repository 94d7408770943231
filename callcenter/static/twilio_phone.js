// A telephone in the page over Twilio: registers with the token of this log-in, picks up the one leg that the server
// rings, and keeps it. The same surface as Phone (phone.js), so that console and listening panel need not know which.
//
// Nobody but our own account can ring it, and it can call nobody: the token allows incoming calls only.
// https://www.twilio.com/docs/voice/sdks/javascript/twiliodevice

import { kept, Microphone, sendTo } from "./microphone.js";

const SOUNDS = ["incoming", "outgoing", "disconnect", "dtmfs", "dtmfh", ..."0123456789".split("").map((digit) => `dtmf${digit}`)];
const AGAIN_MS = 5000; // between two of the same request to the server
const OPEN = ["open", "reconnecting"];
const SILENT = 5; // of the library's log levels
const TOKEN_FAULTS = [20101, 20104, 31204, 31205]; // https://www.twilio.com/docs/api/errors: invalid or expired token

const csrf = () => document.querySelector('meta[name="csrf-token"]').content;

export class TwilioPhone {
  /** `accountUrl` gives {token, seconds, edge}; `readyUrl` hears {there} (optional); `silence`: a file of no sound. */
  constructor({ accountUrl, readyUrl = null, libraryUrl, silence, audio, onChange = () => {}, onLost = () => {} }) {
    Object.assign(this, { accountUrl, readyUrl, libraryUrl, silence, audio, onChange, onLost, asked: {}, sample: null });
    this.fault = this.device = this.line = this.echoing = null;
    this.isRegistered = false;
    this.canEcho = false; // Twilio offers no number that only answers what one says
    this.microphone = new Microphone({
      onLost: () => this.say("unplugged"),
      onBack: (microphones, isHere) => this.devicesChanged(microphones, isHere),
    });
    this.microphone.listeners.add(() => this.useTrack());
    addEventListener("pagehide", () => this.device?.destroy());
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  get isOn() {
    return Boolean(this.device);
  }

  get hasLine() {
    return OPEN.includes(this.line?.status());
  }

  get isReconnecting() {
    return this.line?.status() === "reconnecting";
  }

  get isMuted() {
    return this.microphone.isMuted;
  }

  /** The microphone and the library: what can fail here is said before anybody counts on us. */
  prepare() {
    return this.attempt(() => Promise.all([this.microphone.isLive || this.microphone.open(), this.load()]));
  }

  /** Microphone, token, registration; the server rings then. True when it got so far. */
  start() {
    this.starting ??= this.prepare()
      .then((isReady) => isReady && (this.device ? this.registerAgain() : this.attempt(() => this.register())))
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
      this.say(error.code in FAULT_CODES ? error.code : "unreachable");
      return false;
    }
  }

  load() {
    if (window.Twilio?.Device) return null;
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = this.libraryUrl;
      script.onload = resolve;
      script.onerror = () => reject(fault("unreachable"));
      document.head.append(script);
    });
  }

  async token() {
    const answer = await fetch(this.accountUrl, { method: "POST", headers: { "X-CSRFToken": csrf(), Accept: "application/json" } });
    if (!answer.ok) throw fault(answer.status === 409 ? "no_switch" : "unreachable");
    const given = await answer.json();
    this.freshUntil = Date.now() + (given.seconds * 1000) / 2;
    return given;
  }

  async register() {
    const { token, edge } = await this.token();
    this.device = new window.Twilio.Device(token, {
      allowIncomingWhileBusy: true, // a new leg may come while the old one is dying
      codecPreferences: ["opus", "pcmu"],
      edge: edge || "roaming",
      logLevel: SILENT,
      sounds: Object.fromEntries(SOUNDS.map((name) => [name, this.silence])),
      getUserMedia: () => Promise.resolve(this.microphone.stream.clone()),
    });
    this.device.audio.incoming(false);
    this.device.on("registered", () => this.registered(true));
    this.device.on("unregistered", () => this.registered(false));
    this.device.on("incoming", (call) => this.pickUp(call));
    this.device.on("error", (error) => this.failed(error));
    await this.device.register();
  }

  registerAgain() {
    if (this.device.state === "unregistered") this.device.register().catch((error) => this.failed(error));
    return true;
  }

  registered(is) {
    this.isRegistered = is;
    if (is && ["unreachable", "refused"].includes(this.fault)) this.fault = null;
    if (is) this.tell(true);
    this.onChange(this);
  }

  /** The server may ring this page, or no more. */
  tell(isThere) {
    if (!this.readyUrl) return;
    fetch(this.readyUrl, {
      method: "POST",
      headers: { "X-CSRFToken": csrf(), "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ there: isThere }),
    }).catch(() => {}); // believe() sees that it did not arrive
  }

  async failed(error) {
    if (TOKEN_FAULTS.includes(error.code)) await this.renew();
    else if (!this.isRegistered) this.say("unreachable");
  }

  /** A new token for the same device; never while a citizen is on the line (believe). */
  async renew() {
    if (this.renewing || !this.device) return;
    this.renewing = true;
    try {
      const { token } = await this.token();
      this.device?.updateToken(token);
      if (this.device?.state === "unregistered") await this.device.register();
    } catch (error) {
      this.say(error.code in FAULT_CODES ? error.code : "refused");
    } finally {
      this.renewing = false;
    }
  }

  /** The server rings our leg. An older one is let go when the new one stands. */
  pickUp(call) {
    if (!this.microphone.stream) {
      call.reject();
      return;
    }
    call.on("accept", () => {
      const old = this.line;
      this.line = call;
      if (old && old !== call) old.disconnect();
      call.mute(this.isMuted);
      sendTo(this.audio, kept("speaker"));
      this.device.audio.speakerDevices.set(kept("speaker") || "default").catch(() => {});
      this.onChange(this);
    });
    call.on("sample", (sample) => (this.sample = call === this.line ? sample : this.sample));
    for (const event of ["reconnecting", "reconnected"]) call.on(event, () => this.onChange(this));
    for (const event of ["disconnect", "cancel", "reject", "error"]) call.on(event, () => this.over(call));
    call.accept();
  }

  over(call) {
    if (this.line === call && !OPEN.includes(call.status())) this.line = this.sample = null;
    this.onChange(this);
  }

  /** The server's picture is believed: what it does not see of us is done again. To be called each second. */
  believe({ operator, phone }) {
    if (operator.state === "offline") {
      if (this.device) this.stop();
      return;
    }
    if (!this.device) return;
    if (Date.now() > this.freshUntil && operator.state !== "in_call" && this.isDue("token")) this.renew();
    if (this.isRegistered && !phone?.registered && this.isDue("register")) this.tell(true);
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
    this.line?.mute(on);
    this.onChange(this);
  }

  async useMicrophone(id) {
    try {
      await this.microphone.open(id);
      this.say(null);
    } catch (error) {
      this.say(error.code ?? "busy");
    }
  }

  /** The library asks our getUserMedia again, which gives the microphone that is open now. */
  async useTrack() {
    await this.device?.audio.setInputDevice(this.microphone.usedId || "default").catch(() => {});
  }

  async devicesChanged(microphones, isHere) {
    if (this.fault === "unplugged" && isHere) await this.useMicrophone(this.microphone.usedId);
    else this.onChange(this, microphones);
  }

  echo() {
    return Promise.resolve(false);
  }

  stopEcho() {}

  /** What the line was like in the last second: {loss, jitter_ms, round_trip_ms} or null without a line. */
  async measure() {
    if (!this.hasLine || !this.sample) return null;
    const { packetsLostFraction, jitter, rtt } = this.sample; // percent, ms, ms
    return { loss: Math.min(1, packetsLostFraction / 100), jitter_ms: jitter, round_trip_ms: rtt ?? null };
  }

  /** Off: no leg, no token, no open microphone. */
  stop() {
    this.device?.destroy();
    this.device = this.line = this.sample = null;
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

// What our own parts call a fault (phone_words.py); the library's errors carry numbers.
const FAULT_CODES = Object.fromEntries(["insecure", "no_webrtc", "blocked", "no_microphone", "busy", "no_switch", "unreachable", "refused"].map((code) => [code, true]));

function fault(code) {
  return Object.assign(new Error(code), { code });
}
