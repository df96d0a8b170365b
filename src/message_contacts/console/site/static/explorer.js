// The explorer works without any of this: searching is a form, and a button shows the call.

// The list of operations shrinks while one types.
const search = document.querySelector("form[data-filter]");
if (search) {
  const list = document.getElementById(search.dataset.filter);
  const count = document.getElementById("count");
  search.querySelector("input[type=search]").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of list.querySelectorAll("li")) {
      item.hidden = !words.every((word) => item.dataset.words.includes(word));
      shown += item.hidden ? 0 : 1;
    }
    for (const group of list.querySelectorAll(".subject, .product")) {
      group.hidden = !group.querySelector("li:not([hidden])");
    }
    const text = shown === 0 ? count.dataset.none : shown === 1 ? count.dataset.one : count.dataset.many;
    count.textContent = text.replace("#", shown);
  });
}

// Programs and signed texts follow the form. Nothing is run: the server only writes them anew.
const form = document.querySelector("form[data-explorer]");
if (form) {
  let waiting;
  let asked = 0;
  const refresh = async () => {
    const mine = ++asked;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("do", "show");
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: fields }).catch(() => null);
    if (!answer || !answer.ok || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const code of document.querySelectorAll("#code code[id], #signed code[id]")) {
      const fresh = page.getElementById(code.id);
      if (fresh) code.textContent = fresh.textContent;
    }
    document.getElementById("is-example")?.remove();
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 300);
  });
}

// The language that was opened last is open on the next page too.
const CHOSEN = "explorer-sample";
const samples = [...document.querySelectorAll("details[name=sample]")];
const chosen = samples.find((sample) => sample.dataset.sample === localStorage.getItem(CHOSEN));
if (chosen) chosen.open = true;
for (const sample of samples) {
  sample.querySelector("summary").addEventListener("click", () => {
    if (!sample.open) localStorage.setItem(CHOSEN, sample.dataset.sample);
  });
}
