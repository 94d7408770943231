// News from the server: one EventSource for all the live parts of a page, a banner when the connection is gone.
//
// Any page: include callcenter/live_head.html and mark a part with data-live="import/3". At each snapshot the part gets
// a `live` event whose detail is the snapshot (for htmx: hx-trigger="live"), and its [data-field="a.b"] are filled.

const AMBER_MS = 2000;
const RED_MS = 10000;
const GREEN_MS = 3000;
const SILENCE_MS = 35000; // more than two pings were missed
const POLL_MS = 2000;
const STATES = { waiting: "link-amber", lost: "link-red", back: "link-green", trouble: "link-amber", session_over: "link-red" };

/** A value by its dotted path, or undefined. */
export const at = (object, path) => path.split(".").reduce((value, name) => value?.[name], object);

/** Write the values of `object` into the [data-field] elements of `root`. */
export function fill(root, object) {
  for (const element of root.querySelectorAll("[data-field]")) {
    const value = at(object, element.dataset.field);
    const text = value === null || value === undefined ? "" : String(value);
    if (element.textContent !== text) element.textContent = text;
  }
}

const readJson = (id) => JSON.parse(document.getElementById(id)?.textContent || "{}");

/** The line at the top of the page that says whether news still come. */
class Banner {
  constructor() {
    this.words = readJson("live-words");
    this.element = document.createElement("div");
    this.element.className = "link-banner";
    this.element.setAttribute("role", "alert");
    this.element.hidden = true;
    document.body.prepend(this.element);
  }

  /** @param {keyof typeof STATES | null} state */
  show(state) {
    if (this.state === state) return;
    this.state = state;
    clearTimeout(this.timer);
    this.element.hidden = !state || !this.words[state];
    if (!state) return;
    this.element.className = `link-banner ${STATES[state]}`;
    this.element.textContent = this.words[state];
    if (state === "back") this.timer = setTimeout(() => this.show(null), GREEN_MS);
  }
}

/** The live link of one page. `onSnapshot(topic, snapshot)`; `onLink(isUp)` when it is lost or back. */
export class Live {
  constructor(topics, { onSnapshot, onLink = () => {} }) {
    this.query = new URLSearchParams(topics.map((topic) => ["topic", topic])).toString();
    this.origin = document.querySelector('meta[name="live-origin"]')?.content ?? "";
    this.onSnapshot = onSnapshot;
    this.onLink = onLink;
    this.banner = new Banner();
    this.lostAt = 0;
    this.closed = false;
    this.open();
    this.watch = setInterval(() => this.check(), 500);
    addEventListener("offline", () => this.lost());
    addEventListener("online", () => this.open());
  }

  close() {
    this.closed = true;
    this.source?.close();
    clearInterval(this.watch);
  }

  open() {
    if (this.closed) return;
    this.source?.close();
    this.heardAt = Date.now();
    const source = new EventSource(`${this.origin}/events?${this.query}`, { withCredentials: true });
    this.source = source;
    source.addEventListener("open", () => this.heard());
    source.addEventListener("ping", () => this.heard());
    source.addEventListener("snapshot", (event) => {
      this.heard();
      document.documentElement.dataset.link = "up";
      const { topic, snapshot } = JSON.parse(event.data);
      this.onSnapshot(topic, snapshot);
    });
    source.addEventListener("trouble", () => this.banner.show("trouble"));
    source.addEventListener("goodbye", () => {
      this.close();
      this.banner.show("session_over");
    });
    source.addEventListener("error", () => this.lost());
  }

  heard() {
    this.heardAt = Date.now();
    if (this.lostAt) {
      const wasShown = this.banner.state;
      this.lostAt = 0;
      this.banner.show(wasShown ? "back" : null);
      this.onLink(true);
    } else if (this.banner.state === "trouble") {
      this.banner.show("back");
    }
  }

  lost() {
    if (this.lostAt || this.closed) return;
    this.lostAt = Date.now();
    document.documentElement.dataset.link = "lost";
    this.onLink(false);
  }

  /** Twice a second: colours the banner, asks for a snapshot by itself, opens a stream that the browser gave up. */
  check() {
    if (Date.now() - this.heardAt > SILENCE_MS) this.lost();
    if (!this.lostAt) return;
    const gone = Date.now() - this.lostAt;
    if (gone > RED_MS) this.banner.show("lost");
    else if (gone > AMBER_MS) this.banner.show("waiting");
    if (gone > AMBER_MS && Date.now() - (this.polledAt ?? 0) > POLL_MS) this.poll();
  }

  async poll() {
    this.polledAt = Date.now();
    if (this.source.readyState === EventSource.CLOSED && Date.now() - this.heardAt > POLL_MS) this.open();
    try {
      const answer = await fetch(`/live/snapshot?${this.query}`, { headers: { Accept: "application/json" } });
      if (answer.redirected || answer.status === 401 || answer.status === 403) {
        this.close();
        this.banner.show("session_over");
      } else if (answer.ok) {
        const { topics } = await answer.json();
        for (const [topic, snapshot] of Object.entries(topics)) this.onSnapshot(topic, snapshot);
      }
    } catch {
      // still away: the next look tries again
    }
  }
}

/** Serve every [data-live] of the page with one link. */
function serveMarkedParts() {
  const parts = [...document.querySelectorAll("[data-live]")];
  if (!parts.length) return;
  new Live([...new Set(parts.map((part) => part.dataset.live))], {
    onSnapshot(topic, snapshot) {
      for (const part of document.querySelectorAll("[data-live]")) {
        if (part.dataset.live !== topic) continue;
        fill(part, snapshot);
        part.dispatchEvent(new CustomEvent("live", { detail: snapshot }));
      }
    },
  });
}

serveMarkedParts();
