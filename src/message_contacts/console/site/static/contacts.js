// Pages of contacts: ticking all, opening folders in place, going on by itself. Everything works without it.

// A box that ticks the page, and how many are ticked.
const selection = document.getElementById("selection");
if (selection) {
  const boxes = [...selection.querySelectorAll("input[name=contact]")];
  const told = selection.querySelector(".ticked");
  const head = selection.querySelector("thead th");
  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", head.textContent.trim());
  head.classList.add("tick");
  head.replaceChildren(all);
  const count = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    told.textContent = ticked === 1 ? told.dataset.one : ticked ? told.dataset.many.replace("{n}", ticked) : "";
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  selection.addEventListener("change", count);
  addEventListener("pageshow", count);
}

// Folders of the picker open where they are. What cannot be fetched is left to the form, which shows why.
for (const picker of document.querySelectorAll(".picker")) {
  const taken = new Set(picker.dataset.taken.split(" "));
  picker.addEventListener("click", async (event) => {
    const button = event.target.closest("button.toggle");
    if (!button || event.defaultPrevented) return;
    event.preventDefault();
    const item = button.closest("li");
    const folder = button.value;
    const opening = button.getAttribute("aria-expanded") === "false";
    let below = item.querySelector(":scope > ul");
    if (opening && !below) {
      button.setAttribute("aria-busy", "true");
      const query = new URLSearchParams({ folder });
      if (picker.dataset.single) query.set("single", "yes");
      const answer = await fetch(`${picker.dataset.branches}?${query}`).catch(() => null);
      button.removeAttribute("aria-busy");
      if (!answer?.ok || answer.redirected) {
        const form = button.form;
        form.append(hidden("toggle", folder));
        form.submit();
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      below = page.querySelector("ul");
      for (const box of below.querySelectorAll("input[name=node]")) {
        if (!taken.has(box.value)) continue;
        const note = document.createElement("span");
        note.className = "quiet-text";
        note.textContent = picker.dataset.note;
        box.disabled = box.checked = true;
        box.parentElement.append(note);
      }
      item.append(below);
    }
    below.hidden = !opening;
    button.setAttribute("aria-expanded", opening);
    for (const known of picker.querySelectorAll("input[name=opened]")) if (known.value === folder) known.remove();
    if (opening) picker.append(hidden("opened", folder));
  });
}

function hidden(name, value) {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = name;
  field.value = value;
  return field;
}

// An action on many contacts goes on by itself until it is done, fails to be sent, or is stopped.
let stopped = false;
async function goOn() {
  const run = document.getElementById("run");
  const form = run?.hasAttribute("data-goes-on") && run.querySelector("form");
  if (!form) return;
  const button = form.querySelector("button");
  button.hidden = true;
  form.querySelector(".stop").addEventListener("click", () => { stopped = true; });
  // Not `form.action`, which is the field of that name.
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => null);
  const sound = answer?.ok && !answer.redirected;
  const next = sound && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("run");
  if (!next || stopped) {
    button.hidden = false;
    return;
  }
  // The element that is read out stays the same, so that what it says is read out.
  const status = run.querySelector("[role=status]");
  const said = next.querySelector("[role=status]");
  status.textContent = said.textContent;
  said.remove();
  run.toggleAttribute("data-goes-on", next.hasAttribute("data-goes-on"));
  run.replaceChildren(status, ...next.children);
  await goOn();
}
goOn();

// A deletion that runs is looked at until it is done.
const deletion = document.querySelector("[data-deletion]");
if (deletion) {
  const look = async () => {
    const answer = await fetch(deletion.dataset.deletion).catch(() => null);
    const state = answer?.ok ? await answer.text() : "unknown";
    if (state === "Deleting" || state === "unknown") return setTimeout(look, 2000);
    if (state !== "gone") return location.reload();
    deletion.textContent = deletion.dataset.gone;
    const bar = deletion.parentElement.querySelector("progress");
    bar.max = bar.value = 1;
  };
  setTimeout(look, 1000);
}
