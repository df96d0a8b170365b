// What every page of the console may use. Nothing here is needed: the pages work without it.

// A form that was sent is not sent again by a second click. It opens again when the browser shows the page from its cache.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

// Choosing in a form marked `data-live` sends it at once; its button is for everybody else.
for (const form of document.querySelectorAll("form[data-live]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// Text to take away: the button beside `data-copy` copies what the named element says.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const label = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 1500);
  });
}

// The first field that was refused has the focus.
document.querySelector("[aria-invalid=true]")?.focus();

// On a narrow screen the areas scroll sideways: the present one is in sight.
const present = document.querySelector(".areas [aria-current]");
if (present) present.closest(".areas").scrollLeft = present.offsetLeft - present.closest(".areas").clientWidth / 3;
