// A check goes on by itself, part by part, and can be left at any time. Without this there is a button for each part.
const place = document.getElementById("check");

async function send(form) {
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = page.getElementById("check");
  if (!part) return; // something went wrong: the button is still there, and leads to the page that says what
  place.replaceChildren(...document.adoptNode(part).childNodes);
  const next = place.querySelector("form[data-go-on]");
  if (next) await send(next);
}

const first = place?.querySelector("form[data-go-on]");
if (first) send(first);
