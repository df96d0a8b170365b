// New messages appear at the top of the list as they come.
const inbox = document.querySelector(".inbox[data-events]");
if (inbox) {
  const list = document.getElementById("messages");
  const arrived = document.getElementById("arrived");
  const events = new EventSource(inbox.dataset.events);
  events.addEventListener("message", (event) => {
    const item = new DOMParser().parseFromString(event.data, "text/html").querySelector("li");
    if (!item || list.querySelector(`[data-id="${CSS.escape(item.dataset.id)}"]`)) return;
    item.classList.add("new");
    list.prepend(item);
    document.getElementById("nothing").hidden = true;
    arrived.textContent = arrived.dataset.said;
  });
}
// On a narrow screen an opened message has the focus, so that it is read from its beginning.
if (location.hash === "#reader") document.getElementById("reader")?.focus({ preventScroll: true });
