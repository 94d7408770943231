// <call-timer data-since="ISO">: the time since then. Counts from the server's time, never by itself, so that a
// background tab whose timers are slowed shows the right figure.

let offset = 0; // server's clock minus ours, in milliseconds
const timers = new Set();

/** Tell the timers what time it is at the server. */
export function setServerNow(iso) {
  offset = Date.parse(iso) - Date.now();
}

export const serverNow = () => Date.now() + offset;

/** 65 → "1:05", 3661 → "1:01:01". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

class CallTimer extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "timer");
    timers.add(this);
    this.tick();
  }

  disconnectedCallback() {
    timers.delete(this);
  }

  tick() {
    const since = Date.parse(this.dataset.since);
    const text = Number.isNaN(since) ? "" : clock((serverNow() - since) / 1000);
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("call-timer", CallTimer);
setInterval(() => timers.forEach((timer) => timer.tick()), 250);
