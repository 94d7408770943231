// The microphone and the loudspeaker of this computer: asked for once, kept, and exchanged without losing a call.

const KEPT = { microphone: "convoca:microphone", speaker: "convoca:speaker" };
const PROCESSING = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
// What browsers call it, and our code of the sentence that says what to do (phone_words.py).
const FAULTS = {
  NotAllowedError: "blocked", SecurityError: "blocked", NotFoundError: "no_microphone", OverconstrainedError: "no_microphone",
  NotReadableError: "busy", AbortError: "busy",
};

export const kept = (kind) => localStorage.getItem(KEPT[kind]) ?? "";
export const canChooseSpeaker = () => "setSinkId" in HTMLMediaElement.prototype;

/** Why there will never be a microphone in this browser at this address; null when there may be one. */
export function hindrance() {
  if (!window.isSecureContext) return "insecure";
  if (!navigator.mediaDevices?.getUserMedia || !window.RTCPeerConnection) return "no_webrtc";
  return null;
}

/** Microphones and speakers as [{id, label}]; labels are empty until the microphone was allowed. */
export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const of = (kind) => all.filter((each) => each.kind === kind && each.deviceId).map((each) => ({ id: each.deviceId, label: each.label }));
  return { microphones: of("audioinput"), speakers: of("audiooutput") };
}

export class Microphone {
  /** `onLost()`: it was unplugged, or taken away by the browser. `onBack()`: it is there again. */
  constructor({ onLost, onBack }) {
    Object.assign(this, { onLost, onBack, stream: null, isMuted: false, listeners: new Set() });
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.changed());
  }

  get track() {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  get isLive() {
    return this.track?.readyState === "live";
  }

  /** Open it, or exchange it for `id`. Rejects with an Error whose `code` names the sentence. A device that is
   * remembered and not there is replaced by the system's own. */
  async open(id = kept("microphone")) {
    const never = hindrance();
    if (never) throw fault(never);
    const track = await this.ask(id);
    const old = this.track;
    this.stream ??= new MediaStream();
    if (old) this.stream.removeTrack(old);
    old?.stop();
    this.stream.addTrack(track);
    track.enabled = !this.isMuted;
    track.addEventListener("ended", () => track === this.track && this.onLost());
    const chosen = track.getSettings().deviceId ?? "";
    if (id) localStorage.setItem(KEPT.microphone, chosen);
    this.usedId = chosen;
    this.listen();
    for (const tell of this.listeners) await tell(track);
    return this.stream;
  }

  async ask(id) {
    const get = (deviceId) => navigator.mediaDevices.getUserMedia({ audio: { ...PROCESSING, ...(deviceId ? { deviceId: { exact: deviceId } } : {}) } });
    try {
      return (await get(id)).getAudioTracks()[0];
    } catch (error) {
      if (!id || FAULTS[error.name] !== "no_microphone") throw fault(FAULTS[error.name] ?? "busy");
    }
    try {
      return (await get("")).getAudioTracks()[0];
    } catch (error) {
      throw fault(FAULTS[error.name] ?? "busy");
    }
  }

  close() {
    this.track?.stop();
    this.stream = null;
    this.source?.disconnect();
    this.source = null;
  }

  mute(on) {
    this.isMuted = on;
    if (this.track) this.track.enabled = !on;
  }

  /** How loud it is now, 0 to 1; 0 as well while the browser lets no sound be looked at. */
  level() {
    if (!this.analyser || this.context.state !== "running") return 0;
    this.analyser.getFloatTimeDomainData(this.samples);
    const loudest = this.samples.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    return Math.min(1, loudest);
  }

  listen() {
    this.context ??= new AudioContext();
    this.context.resume();
    this.source?.disconnect();
    this.analyser ??= this.context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.samples ??= new Float32Array(this.analyser.fftSize);
    this.source = this.context.createMediaStreamSource(this.stream);
    this.source.connect(this.analyser);
  }

  async changed() {
    const { microphones } = await devices();
    const isHere = microphones.some((each) => each.id === this.usedId);
    if (this.stream && this.isLive && this.usedId && !isHere) this.onLost();
    else this.onBack(microphones, isHere);
  }
}

/** Play through the loudspeaker that was chosen; an unplugged one falls back to the system's own. */
export async function sendTo(audio, id = kept("speaker")) {
  if (!canChooseSpeaker()) return;
  try {
    await audio.setSinkId(id);
    localStorage.setItem(KEPT.speaker, id);
  } catch {
    await audio.setSinkId("").catch(() => {});
  }
}

/** An error that names the sentence of what to do (phone_words.py). */
export function fault(code) {
  return Object.assign(new Error(code), { code });
}
