// The short tone at the start of a call. Its visual twin is the green bar.

const SETTING = "convoca:volume";
let context = null;

export const volume = () => Number(localStorage.getItem(SETTING) ?? 40);
export const setVolume = (percent) => localStorage.setItem(SETTING, String(percent));

/** Browsers allow sound only after a click: call this from one. */
export function unlock() {
  context ??= new AudioContext();
  return context.resume();
}

/** Two rising notes, a fifth of a second. */
export function beep() {
  if (!context || context.state !== "running" || volume() === 0) return;
  const gain = context.createGain();
  gain.connect(context.destination);
  gain.gain.value = 0;
  for (const [start, pitch] of [[0, 660], [0.1, 990]]) {
    const note = context.createOscillator();
    note.frequency.value = pitch;
    note.connect(gain);
    note.start(context.currentTime + start);
    note.stop(context.currentTime + start + 0.09);
  }
  const loud = (volume() / 100) * 0.5;
  gain.gain.setTargetAtTime(loud, context.currentTime, 0.005);
  gain.gain.setTargetAtTime(0, context.currentTime + 0.18, 0.01);
}
