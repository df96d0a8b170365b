// The heat map of a large directory comes after the rest of the page.
const place = document.querySelector("#map[data-part]");
if (place) {
  try {
    const answer = await fetch(place.dataset.part, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceWith(parsed.querySelector("#map"));
  } catch {
    // The link to the page of its own stays.
    place.removeAttribute("aria-busy");
  }
}
