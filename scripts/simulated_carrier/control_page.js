// Orders are JSON posts, which a page of another site cannot send without asking.
const said = document.getElementById("said");
const now = document.getElementById("now");
const NUMBERS = ["ring_seconds", "seconds"];

async function order(address, what) {
  const answer = await fetch(address, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what),
  });
  said.textContent = `${address}: ${await answer.text()}`;
  await refresh();
}

function read(form) {
  const what = {};
  for (const [name, value] of new FormData(form)) {
    if (name === "presses") { if (value.trim()) what.presses = value.trim().split(/\s+/); }
    else if (NUMBERS.includes(name)) what[name] = Number(value);
    else if (name === "does") what.does = value || null;
    else if (value) what[name] = value;
  }
  return what;
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const what = read(event.target);
  let address = event.target.dataset.order;
  if (address.endsWith("/")) { address += encodeURIComponent(what.phone); delete what.phone; }
  order(address, what);
});

document.addEventListener("click", (event) => {
  const sid = event.target.dataset.hangUp;
  if (sid) order("/control/hang-up", { sid });
});

async function refresh() {
  const answer = await fetch("/control/page");
  now.innerHTML = await answer.text();
}

refresh();
setInterval(refresh, 2000);
