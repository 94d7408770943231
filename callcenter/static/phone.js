// A telephone in the page: registers at our Asterisk, picks up the one leg that the server rings, and keeps it.
//
// Nobody but our Asterisk can ring it: it takes calls only from the socket at which it has signed in.

import { kept, sendTo } from "./microphone.js";
import { codeOf, PagePhone } from "./page_phone.js";

const KEPT = "convoca:phone:"; // sessionStorage: survives a reload of this tab, and nothing else
const EXPIRES_S = 120;
const SOON_MS = 400; // a fresh account needs up to a second to be known at the switch
const TRIES = 20;
const LINK_LOST_MS = 10000;
const AGAIN_MS = 5000; // between two of the same request to the server
const AFTER_MS = 1000;
const ICE_MS = 4000; // audio that is interrupted for longer is asked for anew

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Phone extends PagePhone {
  /** `keptAs`: which of the accounts of a tab this is; the rest as of PagePhone. */
  constructor({ keptAs = "console", ...rest }) {
    super(rest);
    Object.assign(this, { key: KEPT + keptAs, sessions: new Set(), last: {}, canEcho: true, isReconnecting: false });
    addEventListener("pagehide", () => this.hangUp());
  }

  get isLoaded() {
    return Boolean(window.JsSIP);
  }

  get connection() {
    return this.ua;
  }

  get hasLine() {
    return Boolean(this.line?.isEstablished() && !this.line.isBroken);
  }

  /** The account of this log-in: from the server, or kept in this tab since before a reload. */
  async account() {
    const known = JSON.parse(sessionStorage.getItem(this.key) ?? "null");
    if (known) return known;
    const account = await this.askAccount();
    sessionStorage.setItem(this.key, JSON.stringify(account));
    return account;
  }

  async register() {
    const account = await this.account();
    const address = new URL(account.ws_url, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    window.JsSIP.debug.disable();
    this.ua = new window.JsSIP.UA({
      sockets: [new window.JsSIP.WebSocketInterface(address.href)],
      uri: account.uri, password: account.password, register_expires: EXPIRES_S, session_timers: false,
      connection_recovery_min_interval: 1, connection_recovery_max_interval: 5, user_agent: "Convoca",
    });
    this.tries = 0;
    this.ua.on("registered", () => this.registered(true));
    this.ua.on("unregistered", () => this.registered(false));
    this.ua.on("registrationFailed", () => this.refused());
    this.ua.on("disconnected", () => this.linkLost());
    this.ua.on("newRTCSession", ({ originator, session }) => originator === "remote" && this.pickUp(session));
    this.ua.start();
    this.watchLink();
  }

  registerAgain() {
    this.tries = 0;
    this.isRenewed = false;
    if (this.ua.isConnected() && !this.isRegistered) this.ua.register();
    return true;
  }

  registered(is) {
    if (is) {
      this.tries = 0;
      this.isReconnecting = false;
      this.forgetLink();
    }
    super.registered(is);
  }

  announce() {
    this.ua.register();
  }

  /** Not known there yet, or not any more: tried again for a while, then once with a new account. */
  async refused() {
    this.isRegistered = false;
    const ua = this.ua;
    if (!ua?.isConnected()) return; // JsSIP connects and registers again by itself
    this.tries += 1;
    if (this.tries === TRIES) sessionStorage.removeItem(this.key);
    if (this.tries === TRIES && !this.isRenewed) {
      this.isRenewed = true;
      this.ua = null;
      ua.stop();
      await this.register().catch((error) => this.say(codeOf(error)));
      return;
    }
    if (this.tries >= TRIES) this.say("refused");
    await pause(this.tries < TRIES ? SOON_MS : AGAIN_MS);
    if (ua === this.ua && ua.isConnected()) ua.register();
  }

  linkLost() {
    this.isRegistered = false;
    this.isReconnecting = true;
    this.watchLink();
    this.onChange(this);
  }

  /** Each vain attempt to connect is told as a loss: the first one counts. */
  watchLink() {
    this.linkTimer ??= setTimeout(() => this.ua && !this.ua.isConnected() && this.say("unreachable"), LINK_LOST_MS);
  }

  forgetLink() {
    clearTimeout(this.linkTimer);
    this.linkTimer = null;
  }

  /** The server rings our leg. An older one is let go when the new one stands. */
  pickUp(session) {
    if (!this.microphone.stream) {
      session.terminate({ status_code: 480 });
      return;
    }
    this.follow(session, this.audio);
    session.on("confirmed", () => {
      const old = this.line;
      this.line = session;
      if (old && old !== session) retire(old);
      this.last = {};
      this.onChange(this);
    });
    session.answer({ mediaStream: this.microphone.stream, pcConfig: { iceServers: [] } });
  }

  follow(session, audio) {
    this.sessions.add(session);
    const over = () => {
      this.sessions.delete(session);
      if (this.line === session) this.line = null;
      this.onChange(this);
    };
    session.on("ended", over);
    session.on("failed", over);
    session.on("icecandidate", ({ candidate, ready }) => isUsable(candidate) && ready());
    const wire = (connection) => {
      connection.addEventListener("track", ({ streams, track }) => this.play(audio, streams[0] ?? new MediaStream([track])));
      connection.addEventListener("iceconnectionstatechange", () => this.iceChanged(session, connection));
    };
    if (session.connection) wire(session.connection);
    else session.on("peerconnection", ({ peerconnection }) => wire(peerconnection));
  }

  /** Chrome gives sound only to a stream that an <audio> plays; it may want a click first. */
  play(audio, stream) {
    audio.srcObject = stream;
    sendTo(audio, kept("speaker"));
    audio.play().catch((error) => {
      if (error.name !== "NotAllowedError") return;
      this.say("click");
      document.addEventListener("pointerdown", () => audio.play().then(() => this.fault === "click" && this.say(null)), { once: true });
    });
  }

  iceChanged(session, connection) {
    clearTimeout(session.iceTimer);
    session.isBroken = false;
    if (!["disconnected", "failed"].includes(connection.iceConnectionState)) return;
    session.iceTimer = setTimeout(() => {
      session.isBroken = true;
      this.onChange(this);
    }, ICE_MS);
  }

  async useTrack(track) {
    for (const session of [...this.sessions].filter((each) => !each.isOld)) {
      const sender = session.connection?.getSenders().find((each) => each.track?.kind === "audio" || !each.track);
      await sender?.replaceTrack(track);
    }
  }

  /** Hear oneself for some seconds, through the switch and back. Resolves to true when the own sound came back. */
  echo(audio, seconds = 8) {
    if (!this.isRegistered) return Promise.resolve(false);
    const session = this.ua.call(`sip:echo@${this.ua.configuration.uri.host}`, {
      mediaStream: this.microphone.stream, mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] },
    });
    this.follow(session, audio);
    this.echoing = session;
    return new Promise((resolve) => {
      let timer;
      session.on("confirmed", () => (timer = setTimeout(() => end(session), seconds * 1000)));
      for (const how of ["ended", "failed"]) {
        session.on(how, () => {
          clearTimeout(timer);
          this.echoing = null;
          resolve(how === "ended");
        });
      }
    });
  }

  stopEcho() {
    if (this.echoing) end(this.echoing);
  }

  /** What the line was like since the last time: {loss, jitter_ms, round_trip_ms, heard} or null without a line. */
  async measure() {
    if (!this.hasLine || !this.line.connection) return null;
    const now = {};
    for (const each of (await this.line.connection.getStats()).values()) {
      if (each.type === "inbound-rtp" && each.kind === "audio") Object.assign(now, { got: each.packetsReceived, lost: each.packetsLost, jitter: each.jitter });
      if (each.type === "remote-inbound-rtp" && each.kind === "audio") Object.assign(now, { theirs: each.fractionLost, trip: each.roundTripTime });
      if (each.type === "candidate-pair" && each.nominated && each.currentRoundTripTime !== undefined) now.pair = each.currentRoundTripTime;
    }
    const { got = 0, lost = 0 } = this.last;
    this.last = now;
    const came = (now.got ?? 0) - got;
    const missed = Math.max(0, (now.lost ?? 0) - lost);
    const ours = came + missed ? missed / (came + missed) : null;
    const trip = now.pair ?? now.trip;
    return {
      loss: ours === null && now.theirs === undefined ? null : Math.min(1, Math.max(ours ?? 0, now.theirs ?? 0)),
      jitter_ms: now.jitter === undefined ? null : now.jitter * 1000,
      round_trip_ms: trip === undefined ? null : trip * 1000,
    };
  }

  hangUp() {
    for (const session of this.sessions) end(session);
  }

  /** Off: no leg, no account in this tab, no open microphone. */
  stop() {
    this.hangUp();
    this.forgetLink();
    this.ua?.stop();
    this.ua = this.line = null;
    this.isReconnecting = this.isRenewed = false;
    sessionStorage.removeItem(this.key);
    this.release();
  }
}

/** The first address at which we can be reached is enough: to wait for all of them takes seconds. */
const isUsable = (candidate) => candidate.protocol === "udp" && candidate.type !== "relay";

/** The new leg stands: the old one falls silent now, and is hung up when the server has seen the new one. */
function retire(session) {
  session.isOld = true;
  for (const sender of session.connection?.getSenders() ?? []) sender.replaceTrack(null).catch(() => {});
  setTimeout(() => end(session), AFTER_MS);
}

function end(session) {
  try {
    if (!session.isEnded()) session.terminate();
  } catch {
    // it has just ended by itself
  }
}
