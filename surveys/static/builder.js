// The builder's list shows the question that is open, however long the list is.
function show() {
  const list = document.querySelector(".builder-list");
  const open = list?.querySelector(".is-open");
  if (!open) return;
  const above = open.offsetTop - list.offsetTop;
  if (above < list.scrollTop || above + open.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = above - list.clientHeight / 3;
  }
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "builder" || event.target.querySelector?.("#builder")) show();
});
show();
