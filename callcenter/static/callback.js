// When to call back, in the operator's words: the server says what it understood before anything is saved.

const WAIT_MS = 250;
const byId = (id) => document.getElementById(id);

export class CallbackBox {
  /** `url(callId, "when"|"times")`; `save({callback_at, callback_mine})`; `cancel()`. */
  constructor({ url, hasTimes, save, cancel }) {
    Object.assign(this, { url, hasTimes, save, cancel });
    this.form = byId("callback");
    this.text = byId("callback-text");
    this.says = byId("callback-says");
    this.button = byId("callback-save");
    this.text.addEventListener("input", () => this.typed());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.form.addEventListener("keydown", (event) => event.key === "Escape" && this.cancel());
    byId("callback-cancel").addEventListener("click", () => this.cancel());
  }

  /** For the next call; a text that was typed for it before a reload comes back. */
  reset(callId) {
    if (this.callId && this.callId !== callId) sessionStorage.removeItem(`callback:${this.callId}`);
    this.callId = callId;
    this.form.hidden = true;
    this.text.value = (callId && sessionStorage.getItem(`callback:${callId}`)) ?? "";
    this.understood(null);
    byId("callback-times").replaceChildren();
  }

  open() {
    this.form.hidden = false;
    this.text.focus();
    if (this.text.value) this.typed();
    this.offerTimes();
  }

  typed() {
    sessionStorage.setItem(`callback:${this.callId}`, this.text.value);
    this.understood(null);
    clearTimeout(this.timer);
    if (this.text.value.trim()) this.timer = setTimeout(() => this.ask(), WAIT_MS);
  }

  /** Ask what the words mean; true when they are a time. */
  async ask() {
    const asked = this.text.value;
    try {
      const answer = await fetch(`${this.url(this.callId, "when")}?${new URLSearchParams({ text: asked })}`, {
        headers: { Accept: "application/json" },
      });
      const body = await answer.json();
      if (asked === this.text.value) this.understood(answer.ok ? body : null, body.error);
    } catch {
      if (asked === this.text.value) this.understood(null, "…");
    }
    return this.at !== null;
  }

  understood(time, error = "") {
    this.at = time?.at ?? null;
    this.says.textContent = time ? time.says : error;
    this.says.classList.toggle("is-fault", !time && Boolean(error));
    this.button.disabled = !time;
  }

  async submit() {
    clearTimeout(this.timer);
    if (this.at || (await this.ask())) this.save({ callback_at: this.at, callback_mine: byId("callback-mine").checked });
  }

  async offerTimes() {
    if (!this.hasTimes || byId("callback-times").childElementCount) return;
    const answer = await fetch(this.url(this.callId, "times"), { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return;
    const { times } = await answer.json();
    byId("callback-times").replaceChildren(
      ...times.map((time) => {
        const chip = document.createElement("button");
        chip.type = "button";
        chip.className = "btn btn-sm btn-outline-primary";
        chip.textContent = time.label;
        chip.addEventListener("click", () => {
          this.text.value = "";
          this.understood(time);
          this.button.focus();
        });
        return chip;
      }),
    );
  }
}
