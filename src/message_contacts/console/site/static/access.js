// The editor of policy documents: says while one types whether it is JSON at all, and tidies it up. What counts as a
// policy, the service says when it is sent.
for (const part of document.querySelectorAll(".document")) {
  const text = part.querySelector("textarea");
  const tools = document.createElement("div");
  tools.className = "tools";
  const tidy = document.createElement("button");
  tidy.type = "button";
  tidy.className = "small";
  tidy.textContent = part.dataset.tidy;
  const said = document.createElement("span");
  said.className = "help";
  said.setAttribute("role", "status");
  tools.append(tidy, said);
  part.append(tools);

  const look = () => {
    try {
      JSON.parse(text.value);
      said.textContent = "";
      return true;
    } catch (problem) {
      said.textContent = `${part.dataset.invalid}: ${problem.message}`;
      return false;
    }
  };
  let waiting = 0;
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 400);
  });
  tidy.addEventListener("click", () => {
    if (look()) text.value = JSON.stringify(JSON.parse(text.value), null, 2);
    text.focus();
  });
}
