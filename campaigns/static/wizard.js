// A step that is being kept while somebody presses a button: what was typed last must be written last, so the button
// waits for the answer, and for what htmx still has in its queue.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "step" || !form.classList.contains("htmx-request")) return;
  event.preventDefault();
  // The answer may bring the button anew: what it says is kept, not the button.
  const said = Object.assign(document.createElement("input"), { type: "hidden", name: "go", value: event.submitter?.value ?? "next" });
  const again = () => {
    if (form.classList.contains("htmx-request")) return void setTimeout(again, 50);
    form.append(said);
    form.requestSubmit();
  };
  setTimeout(again, 50);
});
