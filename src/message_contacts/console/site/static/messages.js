// Progress of a message as it happens, choosing targets without a new page, and the mail of a preview.

const progress = document.querySelector("#progress[data-events]");
if (progress) {
  const events = new EventSource(progress.dataset.events);
  let changed = false;
  events.addEventListener("counts", (event) => {
    document.getElementById("counts").outerHTML = event.data;
    changed = true;
  });
  events.addEventListener("done", () => {
    events.close();
    // The table of deliveries is from before: shown anew, at the same place.
    if (changed && !location.hash) location.reload();
  });
}

const targets = document.querySelector("fieldset[data-picker]");
if (targets) {
  const chosen = targets.querySelector(".chosen");
  const show = async (folder, words) => {
    const asked = new URL(targets.dataset.picker, location.href);
    asked.searchParams.set("folder", folder);
    asked.searchParams.set("words", words);
    for (const box of chosen.querySelectorAll("input:checked")) asked.searchParams.append("chosen", box.value);
    const answer = await fetch(asked);
    if (!answer.ok || answer.redirected) return false;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    targets.querySelector("#picker").replaceWith(parsed.querySelector("#picker"));
    return true;
  };
  const here = () => targets.querySelector("input[name=folder]").value;
  targets.addEventListener("click", async (event) => {
    const button = event.target.closest("button[name=open]");
    if (!button) return;
    event.preventDefault();
    const words = button.value ? "" : targets.querySelector("#words").value;
    if (await show(button.value || here(), words)) targets.querySelector("#picker button, #picker input[type=checkbox]")?.focus();
  });
  targets.addEventListener("keydown", async (event) => {
    if (event.key !== "Enter" || event.target.id !== "words") return;
    event.preventDefault();
    if (await show(here(), event.target.value)) targets.querySelector("#words").focus();
  });
  targets.addEventListener("change", (event) => {
    const box = event.target;
    if (box.type !== "checkbox") return;
    const item = box.closest("li");
    if (item.closest(".offered") && box.checked) {
      const next = item.nextElementSibling ?? item.previousElementSibling;
      const moved = document.createElement("li");
      moved.append(box.closest("label"));
      chosen.append(moved);
      if (!item.querySelector("button")) item.remove();
      (next?.querySelector("input, button") ?? box).focus();
    } else if (item.closest(".chosen") && !box.checked) {
      item.remove();
      show(here(), targets.querySelector("#words").value);
    }
    targets.querySelector(".nothing").hidden = chosen.children.length > 0;
  });
}

const mail = document.getElementById("show-mail");
if (mail) {
  mail.hidden = true;
  mail.submit();
}
