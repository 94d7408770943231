// Notes of supervisors: each stands on the operator's screen until they say that they have seen it.

const put = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? "");

export class NoteBar {
  /** `send(id)` tells the server that the note was seen. */
  constructor(root, words, send) {
    this.root = root;
    this.words = words;
    this.send = send;
    this.shown = "";
  }

  /** @param {{id: number, text: string, by: string}[]} notes oldest first */
  draw(notes) {
    const mark = notes.map((note) => note.id).join(" ");
    if (mark === this.shown) return; // what is read aloud already is not read again
    this.shown = mark;
    this.root.replaceChildren(...notes.map((note, place) => this.line(note, place === 0)));
  }

  line(note, isFirst) {
    const line = document.createElement("div");
    line.className = "floor-note";
    const text = document.createElement("p");
    const by = document.createElement("strong");
    by.textContent = `${put(this.words.note_by, { name: note.by })}: `;
    text.append(by, note.text);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm btn-light";
    button.append(this.words.note_seen);
    if (isFirst) {
      const key = document.createElement("kbd");
      key.textContent = "V";
      button.append(" ", key);
      button.dataset.key = "v";
    }
    button.addEventListener("click", () => this.send(note.id));
    line.append(text, button);
    return line;
  }
}
