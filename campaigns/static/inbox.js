// The inbox: what helps the hand while one answers. Everything is kept on the server; without this it works, too.

const text = document.getElementById("reply-text");
const form = document.getElementById("reply");
const thread = document.getElementById("thread");

/** A text without accents and case: `Ubicación` is found by `ubicacion`. */
const plain = (words) => words.trim().toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

/** Put words where the cursor stands, and let the counter know. */
function insert(words, from = text.selectionStart) {
  text.setRangeText(words, from, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
  text.focus();
}

/** `/name ` becomes the canned reply of that name. */
function expand() {
  const written = text.value.slice(0, text.selectionStart);
  const found = written.match(/(?:^|\s)(\/([\p{L}\d_-]+)\s)$/u);
  if (!found) return;
  const button = [...document.querySelectorAll("[data-shortcut]")].find(
    (each) => each.dataset.shortcut === found[2].toLowerCase() && !each.disabled,
  );
  if (button) insert(button.dataset.insert, text.selectionStart - found[1].length);
}

/** Until it is sent, an answer is kept by this tab: a reload or a look at another conversation loses nothing. */
function keepDraft() {
  const key = form.dataset.draft;
  if (!text.value && !("refused" in form.dataset)) text.value = sessionStorage.getItem(key) ?? "";
  text.addEventListener("input", () => {
    if (text.value) sessionStorage.setItem(key, text.value);
    else sessionStorage.removeItem(key);
  });
}

const sent = document.querySelector("[data-sent]")?.dataset.sent;
if (sent) {
  sessionStorage.removeItem(sent);
  const here = new URL(location.href);
  here.searchParams.delete("sent");
  history.replaceState(null, "", here);
}

if (form && text) {
  keepDraft();
  text.addEventListener("input", expand);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") text.blur();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(document.getElementById("reply-send"));
    }
  });
  form.addEventListener("submit", (event) => {
    // A second click sends nothing: the first one's answer is on its way.
    if (form.dataset.leaving) event.preventDefault();
    form.dataset.leaving = "yes";
  });
  addEventListener("pageshow", () => delete form.dataset.leaving);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (button && text) insert(button.dataset.insert);
});

const finder = document.getElementById("canned-find");
finder?.addEventListener("input", () => {
  for (const button of document.querySelectorAll("[data-insert]")) {
    button.closest("li").hidden = !plain(button.textContent).includes(plain(finder.value));
  }
});
finder?.closest("details").addEventListener("toggle", (event) => {
  if (event.target.open) finder.focus();
});

// The newest words are in sight, unless somebody reads older ones.
if (thread) {
  thread.scrollTop = thread.scrollHeight;
  let wasAtEnd = true;
  thread.addEventListener("htmx:beforeSwap", () => {
    wasAtEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
  });
  thread.addEventListener("htmx:afterSwap", () => {
    if (wasAtEnd) thread.scrollTop = thread.scrollHeight;
  });
}
