// The tree of the directory: branches open where they are, and the page stays. Without this, names of folders lead on.
const tree = document.getElementById("tree");

function equip(list) {
  for (const twig of list.querySelectorAll(".twig")) twig.hidden = false;
}

async function open(twig) {
  twig.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(twig.dataset.branch, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const part = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("ul");
    const item = twig.closest("li");
    item.querySelector(":scope > ul")?.remove();
    if (part) {
      equip(part);
      item.append(part);
    } else {
      twig.classList.add("bare");
    }
    twig.setAttribute("aria-expanded", "true");
  } catch {
    location.assign(twig.parentElement.querySelector("a").href); // its page says what is wrong
  } finally {
    twig.removeAttribute("aria-busy");
  }
}

tree?.addEventListener("click", (event) => {
  const twig = event.target.closest(".twig");
  if (!twig) return;
  if (twig.getAttribute("aria-expanded") === "true") {
    twig.closest("li").querySelector(":scope > ul")?.remove();
    twig.setAttribute("aria-expanded", "false");
  } else {
    open(twig);
  }
});

if (tree) equip(tree);
