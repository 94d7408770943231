// The training: answers the console's acts in the browser as the server would, with invented people.

const RING_MS = 2500;
const WRAP_UP_MS = 60000;

const inAMinute = (from = 0) => new Date(Math.max(from, Date.now()) + WRAP_UP_MS).toISOString();

export class Training {
  /** `show(snapshot)` draws. Nothing here talks to the server. */
  constructor(state, people, show) {
    Object.assign(this, { state, people, show, next: 0 });
  }

  send(path, body = {}) {
    const act = path.split("/").at(-1);
    const does = {
      connect: () => this.enter("paused", "starting"),
      available: () => this.goOn(),
      pause: () => (this.state.call ? this.change({ pause_reason: body.reason }) : this.enter("paused", body.reason)),
      leave: () => (this.state.call ? this.change({ leave_after_call: true }) : this.enter("offline")),
      "hang-up": () => this.hungUp(),
      difficult: () => {
        this.state.call.difficult = true;
        this.change({ pause_reason: "difficult_call" });
      },
      "more-time": () => {
        this.state.call.wrap_up_until = inAMinute(Date.parse(this.state.call.wrap_up_until));
        this.draw();
      },
      note: () => this.draw(),
      dispose: () => this.dispose(body.code),
      undo: () => this.undo(),
    };
    setTimeout(does[act], 60); // as if over the wire
  }

  wake() {}

  draw() {
    this.state = { ...this.state, server_now: new Date().toISOString() };
    this.show(structuredClone(this.state));
  }

  change(values) {
    this.state.operator = { ...this.state.operator, ...values };
    this.draw();
  }

  enter(state, reason = null) {
    this.change({ state, pause_reason: reason, since: new Date().toISOString() });
  }

  goOn() {
    this.change({ leave_after_call: false });
    this.enter("available");
    clearTimeout(this.ring);
    this.ring = setTimeout(() => this.state.operator.state === "available" && this.connect(), RING_MS);
  }

  connect() {
    const person = this.people[this.next++ % this.people.length];
    const queue = this.state.training_queue;
    this.state.call = {
      id: `training-${this.next}`, state: "connected", connected_at: new Date().toISOString(), hung_up_at: null,
      attempt_number: 1, note: "", difficult: false, queue, contact: person.contact, script: queue.script,
      script_url: queue.script_url, history: [], suggested: null, says: person.says,
    };
    this.state.undo = null;
    this.enter("in_call");
  }

  hungUp() {
    this.state.call = { ...this.state.call, state: "wrap_up", hung_up_at: new Date().toISOString(), wrap_up_until: inAMinute() };
    this.enter("wrap_up", this.state.operator.pause_reason);
  }

  dispose(code) {
    const { label } = this.state.dispositions.find((each) => each.code === code);
    this.last = this.state.call;
    this.state.call = null;
    this.state.undo = { call_id: this.last.id, until: new Date(Date.now() + 10000).toISOString(), label };
    this.state.operator.calls_today += 1;
    const { leave_after_call: leaves, pause_reason: reason } = this.state.operator;
    if (leaves) this.enter("offline");
    else if (reason) this.enter("paused", reason);
    else this.goOn();
  }

  undo() {
    clearTimeout(this.ring);
    this.state.call = { ...this.last, state: "wrap_up", wrap_up_until: inAMinute() };
    this.state.undo = null;
    this.state.operator.calls_today -= 1;
    this.enter("wrap_up");
  }
}
