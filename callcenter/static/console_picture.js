// Draws a snapshot into the console's page. Knows nothing of the server.

import { fill } from "./live.js";
import { clock, setServerNow } from "./timer.js";

const LITTLE_SECONDS = 15;
const LITTLE_PAUSE_SECONDS = 60;
const byId = (id) => document.getElementById(id);
const put = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? "");

function item(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

export class Picture {
  constructor(root, words) {
    this.root = root;
    this.words = words;
    this.locale = document.documentElement.lang;
    this.time = new Intl.DateTimeFormat(this.locale, { hour: "numeric", minute: "2-digit" });
  }

  draw(state, before) {
    const { operator, call } = state;
    setServerNow(state.server_now);
    this.zone = call?.contact?.zone ?? "America/Mexico_City";
    this.clockAhead = Date.parse(state.campaign_now) - Date.parse(state.server_now);
    this.root.dataset.phase = operator.state;
    for (const part of this.root.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(operator.state);
    for (const timer of this.root.querySelectorAll("call-timer")) timer.dataset.since = operator.since;
    fill(this.root, { ...state, ...this.sentences(state), contact: call?.contact ?? {}, queue: call?.queue ?? {} });
    this.drawAfterCall(operator, call);
    this.drawQueues(state.queues);
    this.drawOutcomes(state);
    if (call && call.id !== before?.call?.id) this.drawCall(call, operator);
    this.tick(state, Date.parse(state.server_now));
  }

  /** Composed lines, by the name of their data-field. */
  sentences({ operator, call, supervisor, next_callback: callback }) {
    const { words } = this;
    const person = call?.contact;
    const place = [person?.municipality, person?.section && put(words.section, { n: person.section })];
    const isWaiting = operator.state === "available" && !operator.room_open;
    return {
      state_label: words.states[operator.state],
      reason_label: operator.state === "paused" ? (words.pauses[operator.pause_reason] ?? operator.pause_reason ?? "") : "",
      hint: isWaiting ? words.hints.room : (words.hints[operator.state] ?? ""),
      talk: clock(operator.talk_seconds_today),
      callback: callback ? `${this.day(callback.at)} · ${callback.name}` : words.callback_none,
      place: place.filter(Boolean).join(", "),
      place_long: [person?.neighborhood, ...place].filter(Boolean).join(", "),
      person: [words.sexes[person?.sex], person?.age && put(words.years, { n: person.age })].filter(Boolean).join(" · "),
      attempt: call?.direction === "in" ? words.rang_us : call ? put(words.attempt, { n: call.attempt_number }) : "",
      left: operator.left ? put(words.left, { time: this.time.format(new Date(operator.left.at)), reason: operator.left.reason }) : "",
      at_line: supervisor ? put(words.at_line[supervisor.mode], supervisor) : "",
      speaking: call ? put(words.speaking, { name: person?.name ?? (call.direction === "in" ? words.caller : words.someone) }) : "",
    };
  }

  drawCall(call, operator) {
    const { words } = this;
    const values = {
      name: call.contact?.name ?? "", operator: operator.name, behalf: call.queue.on_behalf_of, url: call.queue.privacy_notice_url,
      given_names: call.contact?.given_names ?? "",
    };
    byId("greeting").textContent = put(call.direction === "in" ? words.greeting_in : words.greeting, values);
    byId("notice").textContent = put(words.notice, values);
    byId("script-text").hidden = Boolean(call.script_url) || !call.queue.script_text;
    byId("script-text").textContent = (call.queue.script_text ?? "").replace(
      /\{(\w+)(?:\|([^}]*))?\}/g,
      (whole, name, otherwise) => values[name] || call.contact?.[name] || otherwise || "",
    );
    const history = call.history.map((each) =>
      item("li", "", item("span", "figures", this.day(each.at)), ` ${words.channels[each.channel] ?? each.channel} · `, item("span", "", each.outcome || "…")),
    );
    byId("history").replaceChildren(...(history.length ? history : [item("li", "", words.first_call)]));
    if (call.says) byId("history").prepend(item("li", "said", `«${call.says}»`));
    this.noteSaved("");
  }

  drawAfterCall(operator, call) {
    const press = (element, on) => element?.setAttribute("aria-pressed", String(Boolean(on)));
    press(byId("leave-after"), operator.leave_after_call);
    const warning = call?.note_warning ?? "";
    if (byId("note-warning").textContent !== warning) byId("note-warning").textContent = warning;
    press(this.root.querySelector('[data-act="difficult"]'), call?.difficult);
    press(this.root.querySelector('.after-call [data-open="pause-dialog"]'), operator.pause_reason);
    const room = this.root.querySelector("[data-room]");
    room.textContent = operator.room_open || operator.state !== "available" ? "" : this.words.hints.room;
  }

  drawQueues(queues) {
    const rows = queues.map((queue) =>
      item("li", "", item("strong", "", queue.name), item("span", "", queue.why_idle ?? put(this.words.ringing, { n: queue.ringing }))),
    );
    byId("queues").replaceChildren(...(rows.length ? rows : [item("li", "", this.words.none_running)]));
  }

  /** What the answers suggest comes first; each button shows its key and its effect. */
  drawOutcomes({ dispositions, call }) {
    const mark = `${call?.id}:${call?.suggested}`;
    if (this.outcomesOf === mark) return;
    this.outcomesOf = mark;
    const sorted = [...dispositions].sort((a, b) => Number(b.code === call?.suggested) - Number(a.code === call?.suggested));
    const buttons = sorted.map((each) => {
        const button = item(
          "button", `btn btn-outline-primary outcome effect-${each.effect}${each.code === call?.suggested ? " is-suggested" : ""}`,
          each.key ? item("kbd", "", each.key) : "",
          item("span", "", item("span", "outcome-label", each.label), item("small", "", this.words.effects[each.effect])),
        );
        button.type = "button";
        button.dataset.outcome = each.code;
        if (each.key) button.dataset.key = each.key;
        return button;
      });
    const rare = item("details", "rare", item("summary", "", this.words.rare), item("div", "outcomes", ...buttons.filter((each) => !each.dataset.key)));
    byId("outcomes").replaceChildren(...buttons.filter((each) => each.dataset.key), rare);
  }

  /** Four times a second: their clock, the time to write up, and how long the outcome may still be taken back. */
  tick(state, now) {
    const local = this.root.querySelector("[data-local-time]");
    const text = new Date(now + this.clockAhead).toLocaleTimeString(this.locale, { timeZone: this.zone, hour: "numeric", minute: "2-digit" });
    if (local.textContent !== text) local.textContent = text;
    this.tickWrapUp(state.call?.wrap_up_until, now);
    this.tickPause(state.operator.pause_until, now);
    const bar = byId("undo");
    const left = state.undo ? Math.ceil((Date.parse(state.undo.until) - now) / 1000) : 0;
    bar.hidden = left <= 0 || Boolean(state.call);
    if (bar.hidden) return;
    const label = put(this.words.undo, { label: state.undo.label });
    const line = bar.querySelector("[data-undo-label]");
    if (line.textContent !== label) line.textContent = label;
    bar.querySelector("[data-undo-seconds]").textContent = `${left} s`;
  }

  /** The time left to write the call up: a word and a colour as it ends. After it the operator is asked; nothing is lost. */
  tickWrapUp(until, now) {
    const bar = byId("gone");
    bar.querySelector(".wrap-time").hidden = !until;
    if (!until) return;
    const left = Math.ceil((Date.parse(until) - now) / 1000);
    const level = left <= 0 ? "over" : left <= LITTLE_SECONDS ? "soon" : "calm";
    const word = bar.querySelector("[data-wrap-word]");
    if (word.textContent !== this.words.wrap[level]) word.textContent = this.words.wrap[level];
    bar.dataset.wrap = level;
    bar.querySelector("[data-wrap-clock]").textContent = left < 0 ? `+${clock(-left)}` : clock(left);
  }

  /** What is left of a pause that has a limit. Past it the operator and the floor are told; nobody is cut off. */
  tickPause(until, now) {
    const line = byId("pause-limit");
    line.hidden = !until;
    if (!until) return;
    const left = Math.ceil((Date.parse(until) - now) / 1000);
    const level = left <= 0 ? "over" : left <= LITTLE_PAUSE_SECONDS ? "soon" : "calm";
    const word = line.querySelector("[data-limit-word]");
    if (word.textContent !== this.words.pause_limit[level]) word.textContent = this.words.pause_limit[level];
    line.dataset.level = level;
    line.querySelector("[data-limit-clock]").textContent = left < 0 ? `+${clock(-left)}` : clock(left);
  }

  noteSaved(text) {
    byId("note-saved").textContent = text;
  }

  /** Acts that the server has not answered yet: said until it has. */
  waits(number) {
    byId("unsent").hidden = number === 0;
    if (number) this.noteSaved(this.words.unsent);
  }

  noteIsSaved() {
    this.noteSaved(put(this.words.saved_note, { time: this.time.format(new Date()) }));
  }

  /** A sentence for a while, seen and read aloud. */
  say(sentence, kind = "info") {
    const line = item("div", `toast-line alert alert-${kind} shadow mb-2`, sentence);
    byId("live-region").append(line);
    setTimeout(() => line.remove(), kind === "info" ? 5000 : 12000);
  }

  day(iso) {
    return new Date(iso).toLocaleString(this.locale, {
      timeZone: this.zone, weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit",
    });
  }
}
