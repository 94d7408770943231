// Hold, keypad, consulting and handing over: the buttons, and what they show of a snapshot's `call.acts`.

const byId = (id) => document.getElementById(id);
const put = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? "");

export class CallActs {
  /** `send(path, body)` posts an act of the console; `words` are console-words' `acts`; `url` is the console's. */
  constructor({ send, words, url }) {
    this.send = send;
    this.words = words;
    this.url = url;
    this.call = null;
    this.does = {
      hold: () => this.post("hold", { on: !this.call.acts.held_at }),
      keypad: () => this.openKeypad(),
      transfer: () => this.openTransfer(),
      "join-all": () => this.post("join-all"),
      complete: () => this.post("complete"),
      "drop-leg": () => this.post("drop-leg"),
    };
    byId("keypad-dialog").addEventListener("click", (event) => this.tone(event.target.closest?.("[data-tone]")));
    byId("transfer-targets").addEventListener("click", (event) => this.choose(event.target.closest?.("button")));
  }

  draw({ operator, call }) {
    this.call = call;
    const acts = call?.acts;
    const isOn = Boolean(acts?.can) && operator.state === "in_call" && call.state === "connected" && !acts.handed_out;
    byId("call-acts").hidden = !isOn;
    if (!isOn) for (const id of ["keypad-dialog", "transfer-dialog"]) byId(id).close();
    if (!acts) return;
    const held = byId("call-acts").querySelector('[data-act="hold"]');
    held.setAttribute("aria-pressed", String(Boolean(acts.held_at)));
    const lives = acts.leg && acts.leg.state !== "ended";
    byId("act-leg").hidden = !lives;
    for (const name of ["join-all", "complete"]) {
      byId("act-leg").querySelector(`[data-act="${name}"]`).disabled = acts.leg?.state !== "up";
    }
    held.disabled = Boolean(lives);
    byId("call-acts").querySelector('[data-act="transfer"]').disabled = Boolean(lives);
    const line = byId("call-acts").querySelector("[data-act-line]");
    const said = this.sentence(acts);
    if (line.textContent !== said) line.textContent = said;
  }

  sentence(acts) {
    const { words } = this;
    if (acts.leg && acts.leg.state !== "ended") {
      const state = acts.leg.state === "up" ? (acts.held_at ? words.consulting : words.all_three) : words.ringing;
      return put(state, acts.leg);
    }
    if (acts.held_at) return acts.leg && !acts.leg.was_up ? put(words.not_reached, acts.leg) : words.held;
    return "";
  }

  post(act, body = {}) {
    if (this.call) this.send(`calls/${this.call.id}/${act}`, body);
  }

  openKeypad() {
    byId("keypad-sent").value = "";
    byId("keypad-dialog").showModal();
  }

  tone(button) {
    if (!button) return;
    byId("keypad-sent").value += button.dataset.tone;
    this.post("keys", { keys: button.dataset.tone });
  }

  async openTransfer() {
    if (!this.call) return;
    const place = byId("transfer-targets");
    place.replaceChildren();
    byId("transfer-none").hidden = true;
    byId("transfer-dialog").showModal();
    const answer = await fetch(`${this.url}calls/${this.call.id}/targets`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return;
    const found = await answer.json();
    const groups = [["operators", "operator"], ["queues", "queue"], ["outside", "outside"]];
    place.replaceChildren(...groups.filter(([name]) => found[name].length).map(([name, kind]) => this.group(name, kind, found[name])));
    byId("transfer-none").hidden = place.childElementCount > 0;
    place.querySelector("button")?.focus();
  }

  /** One heading with its targets; each can be consulted first or given the call at once. */
  group(name, kind, targets) {
    const section = document.createElement("section");
    const title = document.createElement("h3");
    title.className = "h6 mt-2";
    title.textContent = this.words[name];
    const rows = targets.map((target) => {
      const row = document.createElement("p");
      row.className = "transfer-row";
      const label = document.createElement("span");
      label.textContent = target.name;
      const asks = kind === "outside" || this.call?.acts?.consults;
      row.append(label, ...(asks ? [this.button(kind, target, "consult", "btn-outline-primary")] : []), this.button(kind, target, "transfer", "btn-outline-secondary"));
      return row;
    });
    section.append(title, ...rows);
    return section;
  }

  button(kind, target, act, look) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `btn btn-sm ${look}`;
    button.dataset.target = kind;
    button.dataset.id = target.id;
    button.dataset.how = act;
    button.textContent = this.words[act];
    button.setAttribute("aria-label", `${this.words[act]}: ${target.name}`);
    return button;
  }

  choose(button) {
    if (!button) return;
    this.post(button.dataset.how, { kind: button.dataset.target, id: Number(button.dataset.id) });
    byId("transfer-dialog").close();
  }
}
