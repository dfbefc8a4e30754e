// The box by which anyone is added, as a combobox (ARIA Authoring Practices):
// the people whom it finds are listed as one types, the arrow keys choose, and
// Enter takes what is chosen, or else what was typed.
if (live) {
  const box = document.querySelector("#find-form #email");
  const form = box?.form;
  const found = document.getElementById("found");
  if (box) {
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "found-list", "aria-autocomplete": "list", "aria-haspopup": "listbox" }))
      box.setAttribute(name, value);
    let timer, newest = 0;
    const options = () => [...found.querySelectorAll("#found-list > li")];
    const chosen = () => found.querySelector("[aria-selected=true]");
    const choose = (option) => {
      for (const o of options()) o.setAttribute("aria-selected", String(o === option));
      if (option) {
        box.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      } else box.removeAttribute("aria-activedescendant");
    };
    const close = () => {
      if (found.querySelector("#found-list, .nobody")) found.replaceChildren();
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    };
    const open = () => {
      const list = found.querySelector("#found-list");
      box.setAttribute("aria-expanded", String(Boolean(list)));
      box.removeAttribute("aria-activedescendant");
    };
    const take = (option) => {
      const form = document.getElementById("choice-form");
      for (const field of form.elements) field.value = field.name === option.dataset.name ? option.dataset.value : "";
      form.requestSubmit();
    };
    const several = () => /[\n,;\t]/.test(box.value.trim());
    const suggest = async () => {
      const typed = box.value.trim(), mine = ++newest;
      if (typed.length < 2 || several()) return close();
      const body = new URLSearchParams({ email: typed });
      try {
        const answer = await fetch(form.dataset.suggest, { method: "POST", body, headers: { "HX-Request": "true" } });
        if (!answer.ok || mine !== newest) return;
        const html = await answer.text();
        if (mine !== newest || box.value.trim() !== typed) return;
        found.innerHTML = html;
        open();
      } catch {
        // Whoever goes on typing asks again; Continue works in any case.
      }
    };
    box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(suggest, 200);
    });
    // What was asked for in earnest is not overwritten by a suggestion.
    for (const sent of [form, document.getElementById("choice-form")])
      sent.addEventListener("submit", () => {
        clearTimeout(timer);
        newest++;
      });
    // A field of one line would run the rows of a spreadsheet together.
    box.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text/plain");
      if (!/[\r\n\t]/.test(text.trim())) return;
      event.preventDefault();
      box.setRangeText(text.trim().replace(/\s*[\r\n]+\s*/g, "; ").replace(/\t/g, " "), box.selectionStart, box.selectionEnd, "end");
      close();
    });
    box.addEventListener("keydown", (event) => {
      const list = options();
      const at = list.indexOf(chosen());
      if (event.key === "ArrowDown" && list.length) choose(list[(at + 1) % list.length]);
      else if (event.key === "ArrowUp" && list.length) choose(list[at <= 0 ? list.length - 1 : at - 1]);
      else if (event.key === "Escape" && list.length) close();
      else if (event.key === "Enter") {
        const option = chosen();
        if (option) take(option);
        else form.requestSubmit();
      } else return;
      event.preventDefault();
    });
    found.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) take(option);
    });
    found.addEventListener("htmx:after:swap", () => box.setAttribute("aria-expanded", "false"));
  }
}
