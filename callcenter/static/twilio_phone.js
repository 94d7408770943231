// A telephone in the page over Twilio: registers with the token of this log-in, picks up the one leg that the server
// rings, and keeps it. Console and listening panel need not know which kind of PagePhone they have.
//
// Nobody but our own account can ring it, and it can call nobody: the token allows incoming calls only.
// https://www.twilio.com/docs/voice/sdks/javascript/twiliodevice

import { kept, sendTo } from "./microphone.js";
import { codeOf, PagePhone, post } from "./page_phone.js";

const SOUNDS = ["incoming", "outgoing", "disconnect", "dtmfs", "dtmfh", ..."0123456789".split("").map((digit) => `dtmf${digit}`)];
const OPEN = ["open", "reconnecting"];
const SILENT = 5; // of the library's log levels
const TOKEN_FAULTS = [20101, 20104, 31204, 31205]; // https://www.twilio.com/docs/api/errors: invalid or expired token

export class TwilioPhone extends PagePhone {
  /** `accountUrl` gives {token, seconds, edge}; `readyUrl` hears {there} (optional); `silence`: a file of no sound; the
   * rest as of PagePhone. */
  constructor({ readyUrl = null, silence, ...rest }) {
    super(rest);
    Object.assign(this, { readyUrl, silence, device: null, sample: null });
    addEventListener("pagehide", () => this.device?.destroy());
  }

  get isLoaded() {
    return Boolean(window.Twilio?.Device);
  }

  get connection() {
    return this.device;
  }

  get hasLine() {
    return OPEN.includes(this.line?.status());
  }

  get isReconnecting() {
    return this.line?.status() === "reconnecting";
  }

  async token() {
    const given = await this.askAccount();
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
    super.registered(is);
    if (is) this.announce();
  }

  /** The server may ring this page. */
  announce() {
    if (this.readyUrl) post(this.readyUrl, { there: true }).catch(() => {}); // believe() sees that it did not arrive
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
      this.say(codeOf(error, "refused"));
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

  believe(picture) {
    super.believe(picture);
    const isFree = this.isOn && picture.operator.state !== "in_call";
    if (isFree && Date.now() > this.freshUntil && this.isDue("token")) this.renew();
  }

  mute(on) {
    this.line?.mute(on);
    super.mute(on);
  }

  /** The library asks our getUserMedia again, which gives the microphone that is open now. */
  async useTrack() {
    await this.device?.audio.setInputDevice(this.microphone.usedId || "default").catch(() => {});
  }

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
    this.release();
  }
}
