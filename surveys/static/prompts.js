// Records a prompt from the microphone, makes a WAV file of it and sends it as if it had been chosen as a file.

const words = document.getElementById("recorder-words").dataset;

/** A WAV file (one channel, 16 bits) of blocks of samples between -1 and 1. */
export function wav(blocks, rate) {
  const count = blocks.reduce((sum, block) => sum + block.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * count));
  const write = (at, text) => [...text].forEach((letter, place) => view.setUint8(at + place, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * count, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * count, true);
  let at = 44;
  for (const block of blocks) {
    for (const sample of block) {
      view.setInt16(at, Math.max(-1, Math.min(1, sample)) * 32767, true);
      at += 2;
    }
  }
  return new Blob([view], { type: "audio/wav" });
}

class Recorder {
  constructor(form) {
    this.form = form;
    this.start = form.querySelector("[data-record]");
    this.stop = form.querySelector("[data-stop]");
    this.said = form.querySelector("[data-said]");
    this.start.hidden = false;
    this.start.addEventListener("click", () => this.begin());
    this.stop.addEventListener("click", () => this.finish());
  }

  async begin() {
    this.said.textContent = words.asking;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } });
      this.context = new AudioContext();
      await this.context.audioWorklet.addModule(new URL("prompt_worklet.js", import.meta.url));
    } catch {
      this.said.textContent = words.none;
      this.release();
      return;
    }
    this.blocks = [];
    this.node = new AudioWorkletNode(this.context, "prompt-recorder");
    this.node.port.onmessage = (event) => this.blocks.push(event.data);
    this.context.createMediaStreamSource(this.stream).connect(this.node);
    this.limit = setTimeout(() => this.finish(), Number(this.form.dataset.recorder) * 1000);
    this.show(true);
    this.said.textContent = words.recording;
    this.stop.focus();
  }

  async finish() {
    clearTimeout(this.limit);
    const rate = this.context.sampleRate;
    this.release();
    this.show(false);
    this.said.textContent = words.sending;
    const data = new FormData(this.form);
    data.set("source", "microphone");
    data.set("file", wav(this.blocks, rate), "microphone.wav");
    try {
      const answer = await fetch(this.form.action, { method: "POST", body: data, headers: { Accept: "application/json" } });
      if (answer.ok) {
        location.hash = this.form.closest("li").id;
        location.reload();
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fault = page.getElementById(this.form.closest("li").id)?.querySelector(".alert");
      this.said.textContent = fault ? fault.textContent.trim() : words.failed;
    } catch {
      this.said.textContent = words.failed;
    }
  }

  show(isRecording) {
    this.start.hidden = isRecording;
    this.stop.hidden = !isRecording;
  }

  release() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.stream = this.context = null;
  }
}

if (navigator.mediaDevices && window.AudioWorkletNode) {
  document.querySelectorAll("form[data-recorder]").forEach((form) => new Recorder(form));
}
