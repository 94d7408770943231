// The recording of the call on the operator's screen: the notice to read, how it stands, and four acts.
// Shows what the server knows the switch has done, never what was merely asked for.

const OVER = ["refused", "lost", "deleted"];
const TURNING = {
  "recording:pause": "pausing", "recording:off": "stopping", "paused:on": "resuming", "paused:off": "stopping",
  "asked:on": "starting", "paused:pause": "paused",
  "recording:end": "ending", "paused:end": "ending",
};

export class RecordingBar {
  /** `send(path, body)` posts an act of the console. */
  constructor(send) {
    this.bar = document.getElementById("recording-bar");
    this.callId = null;
    this.bar?.addEventListener("click", (event) => {
      const button = event.target instanceof Element && event.target.closest("[data-recording]");
      if (button && this.callId) send(`calls/${this.callId}/recording`, { act: button.dataset.recording });
    });
  }

  draw({ call }) {
    if (!this.bar) return;
    const recording = call?.recording;
    this.callId = call?.id ?? null;
    this.bar.hidden = !recording;
    if (!recording) return;
    const { state, wanted } = recording;
    this.bar.dataset.state = state;
    this.put("label", recording.label);
    this.put("detail", recording.fault ?? this.bar.dataset[TURNING[`${state}:${wanted}`]] ?? "");
    this.put("notice", recording.notice);
    this.part("notice-line").hidden = call.state !== "connected" || OVER.includes(state);
    this.show("yes", recording.needs_consent);
    this.show("no", !OVER.includes(state) && wanted !== "off" || recording.needs_consent);
    this.show("pause", state === "recording" && wanted === "on");
    this.show("resume", state === "paused" && wanted === "pause");
  }

  part(name) {
    return this.bar.querySelector(`[data-part="${name}"]`);
  }

  put(name, text) {
    if (this.part(name).textContent !== text) this.part(name).textContent = text;
  }

  show(act, isShown) {
    const button = this.bar.querySelector(`[data-recording="${act}"]`);
    const hadFocus = button === document.activeElement;
    button.hidden = !isShown;
    if (!isShown && hadFocus) this.bar.querySelector("[data-recording]:not([hidden])")?.focus();
  }
}
