// A step that is being kept while somebody presses a button: what was typed last must be written last, so the button
// waits for the answer. What htmx still has in its queue is waited for, too.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "step" || !form.classList.contains("htmx-request")) return;
  event.preventDefault();
  const submitter = event.submitter;
  const again = () => {
    if (form.classList.contains("htmx-request")) setTimeout(again, 50);
    else form.requestSubmit(submitter);
  };
  setTimeout(again, 50);
});
