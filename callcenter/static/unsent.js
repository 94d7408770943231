// Acts that the server has not confirmed yet: kept in this tab, sent in order, repeated with the same key until there is
// an answer. The server does an act once per key.

const STORE = "convoca:unsent";
const TIMEOUT_MS = 8000;
const SLOW_MS = 2000; // without an answer for so long, the page says so
const PAUSES_MS = [300, 1000, 2000, 4000];
const GIVE_UP_MS = 30 * 60 * 1000;

const csrfToken = () => document.querySelector('meta[name="csrf-token"]').content;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Unsent {
  /** `onState(snapshot, act)` after each act; `onRefused(sentence)`; `onWaiting(n)`: how many wait for an answer. */
  constructor(base, { onState, onRefused, onWaiting, onSignedOut }) {
    Object.assign(this, { base, onState, onRefused, onWaiting, onSignedOut });
    this.waiting = 0;
    const kept = JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
    this.acts = kept.filter((act) => Date.now() - act.at < GIVE_UP_MS);
    this.tries = 0;
    this.run();
  }

  /** Do `path` (below /console/) with `body`. A newer note replaces an older one that still waits. */
  send(path, body = {}, { replaces = false } = {}) {
    if (replaces) this.acts = this.acts.filter((act, index) => (index === 0 && this.running) || act.path !== path);
    this.acts.push({ path, body, key: crypto.randomUUID?.() ?? uuid(), at: Date.now() });
    this.keep();
    this.run();
  }

  /** Try at once: the connection is back. */
  wake() {
    this.tries = 0;
    this.run();
  }

  keep() {
    sessionStorage.setItem(STORE, JSON.stringify(this.acts));
    this.tell(this.tries > 0 ? this.acts.length : 0);
  }

  tell(number) {
    if (number !== this.waiting) this.onWaiting(number);
    this.waiting = number;
  }

  async run() {
    if (this.running) return;
    this.running = true;
    while (this.acts.length) {
      const slow = setTimeout(() => this.tell(this.acts.length), SLOW_MS);
      const done = await this.post(this.acts[0]);
      clearTimeout(slow);
      if (done) {
        this.acts.shift();
        this.tries = 0;
        this.keep();
      } else {
        const rest = PAUSES_MS[Math.min(this.tries++, PAUSES_MS.length - 1)];
        this.keep();
        await pause(rest);
      }
    }
    this.running = false;
  }

  /** True when the server has answered, with yes or no; false when it must be asked again. */
  async post(act) {
    let answer;
    try {
      answer = await fetch(this.base + act.path, {
        method: "POST",
        headers: { "X-CSRFToken": csrfToken(), "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": act.key },
        body: JSON.stringify(act.body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: "manual",
      });
    } catch {
      return false;
    }
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      this.onSignedOut();
      return false; // kept: after signing in again in another tab it goes through
    }
    if (answer.status >= 500 || answer.status === 429) return false;
    const body = await answer.json().catch(() => ({}));
    if (answer.ok) this.onState(body, act);
    else this.onRefused(body.error ?? answer.statusText, act);
    return true;
  }
}

// crypto.randomUUID exists on https and localhost only; a call centre's own network may be plain http.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
