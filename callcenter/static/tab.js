// One console in one tab: calls must not come to a tab that nobody looks at.

const NAME = "convoca-console";

/** Run `start` when this tab holds the console; else ask in `dialog`, whose `button` takes it over. */
export function ownTab(dialog, button, start) {
  if (!navigator.locks) {
    start(); // plain http on a network of one's own: browsers offer no locks there
    return;
  }
  const hold = () => new Promise(() => {});
  const take = (options) =>
    navigator.locks
      .request(NAME, options, (lock) => {
        if (!lock) {
          dialog.showModal();
          return undefined;
        }
        dialog.close();
        start();
        return hold();
      })
      .catch(() => location.reload()); // taken over by another tab: ask again
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  button.addEventListener("click", () => take({ steal: true }));
  take({ ifAvailable: true });
}
