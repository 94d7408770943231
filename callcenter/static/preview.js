// The person before the operator: call, or skip with a reason; and their phone while it rings.

import { clock } from "./timer.js";

const LITTLE_SECONDS = 20;
const byId = (id) => document.getElementById(id);
const put = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? "");

export class PreviewBox {
  /** `send(path, body)` posts; `picture` says sentences and writes dates. */
  constructor(words, picture, send) {
    this.words = words;
    this.picture = picture;
    this.send = send;
    this.preview = null;
    this.told = null; // the ring whose end was said
    byId("preview").addEventListener("click", (event) => this.skip(event.target.closest("[data-skip]")));
    byId("people-dialog").addEventListener("click", (event) => this.take(event.target.closest("[data-take]")));
  }

  does = {
    "preview-call": () => this.preview && this.send(`previews/${this.preview.id}/call`),
    "preview-stop": () => this.preview?.call_id && this.send(`previews/calls/${this.preview.call_id}/stop`),
    pick: () => this.pick(),
  };

  draw(state) {
    const before = this.preview;
    this.preview = state.preview ?? null;
    this.tellEnd(state.preview_end);
    if (!this.preview) return;
    const box = byId("preview");
    const step = this.preview.call_id ? "ring" : "look";
    box.dataset.step = step;
    for (const part of box.querySelectorAll("[data-step-is]")) part.hidden = part.dataset.stepIs !== step;
    if (before?.id === this.preview.id) return;
    this.drawPerson(this.preview);
    byId("preview-name").focus({ preventScroll: true });
  }

  drawPerson(preview) {
    const person = preview.contact;
    const { words } = this;
    const facts = {
      person: [words.sexes[person?.sex], person?.age && put(words.years, { n: person.age })].filter(Boolean).join(" · "),
      place: [person?.neighborhood, person?.municipality, person?.section && put(words.section, { n: person.section })].filter(Boolean).join(", "),
      attempt: preview.attempt_number,
      script: preview.queue.script_text ?? "",
    };
    for (const [name, text] of Object.entries(facts)) this.part(name).textContent = text;
    this.part("promised").hidden = !preview.is_promised;
    this.part("script").hidden = !preview.queue.script_text;
    const lines = preview.history.map((each) => `${this.picture.day(each.at)} · ${words.channels[each.channel] ?? each.channel} · ${each.outcome || "…"}`);
    this.part("history").replaceChildren(...(lines.length ? lines : [words.first_call]).map((line) => {
      const row = document.createElement("li");
      row.textContent = line;
      return row;
    }));
  }

  /** Their clock, and what is left of the look. */
  tick(now, clockAhead) {
    if (!this.preview) return;
    const zone = this.preview.contact?.zone ?? "America/Mexico_City";
    const time = new Date(now + clockAhead).toLocaleTimeString(document.documentElement.lang, { timeZone: zone, hour: "numeric", minute: "2-digit" });
    if (this.part("time").textContent !== time) this.part("time").textContent = time;
    const line = byId("preview-left");
    line.hidden = Boolean(this.preview.call_id);
    if (line.hidden) return;
    const left = Math.ceil((Date.parse(this.preview.until) - now) / 1000);
    const level = left <= LITTLE_SECONDS ? "soon" : "calm";
    const word = line.querySelector("[data-left-word]");
    if (word.textContent !== this.words.preview[level]) word.textContent = this.words.preview[level];
    line.dataset.level = level;
    line.querySelector("[data-left-clock]").textContent = clock(left);
  }

  /** What became of a ring that nobody took; said once. */
  tellEnd(end) {
    if (!end || end.call_id === this.told) return;
    this.told = end.call_id;
    this.picture.say(put(this.words.preview.ended, end));
  }

  skip(button) {
    if (button && this.preview) this.send(`previews/${this.preview.id}/skip`, { reason: button.dataset.skip });
  }

  pick() {
    const place = byId("people");
    byId("people-search").value = "";
    place.replaceChildren();
    byId("people-dialog").showModal();
    window.htmx.ajax("GET", place.dataset.url, { target: "#people", swap: "innerHTML" }).catch(() => {});
  }

  take(button) {
    if (!button) return;
    byId("people-dialog").close();
    this.send(`people/${button.dataset.take}/take`);
  }

  part(name) {
    return byId("preview").querySelector(`[data-preview="${name}"]`);
  }
}
