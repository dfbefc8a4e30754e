// The table of a course's people: switches save themselves, arrow keys move in
// it as in a spreadsheet, and several people can be selected.
if (live) {
  const controls = "td.pick input, th.who > a, td.sw input";
  const table = () => document.querySelector("table.people");
  const cellOf = (element) => element.closest("td, th");

  // One stop for Tab in the whole table; the arrows do the rest.
  const rove = (to) => {
    const all = [...(table()?.querySelectorAll(controls) ?? [])].filter((c) => !c.disabled);
    if (!all.length) return;
    const stop = all.includes(to) ? to : all.find((c) => c.tabIndex === 0 && c.hasAttribute("data-stop")) ?? all.find((c) => c.matches("th > a"));
    for (const c of all) {
      c.tabIndex = c === stop ? 0 : -1;
      c.toggleAttribute("data-stop", c === stop);
    }
  };
  const inRow = (row) => [...row.querySelectorAll(controls)].filter((c) => !c.disabled && c.offsetParent);
  const nearest = (row, column) => {
    const list = inRow(row);
    return list.sort((a, b) => Math.abs(cellOf(a).cellIndex - column) - Math.abs(cellOf(b).cellIndex - column))[0];
  };
  const vertical = (from, step) => {
    const column = cellOf(from).cellIndex;
    for (let row = from.closest("tr"); (row = step < 0 ? row.previousElementSibling : row.nextElementSibling); ) {
      const there = nearest(row, column);
      if (there) return there;
    }
  };
  const edge = (last) => {
    const rows = [...table().tBodies[0].rows];
    const list = inRow(last ? rows.at(-1) : rows[0]);
    return last ? list.at(-1) : list[0];
  };
  const move = (event) => {
    const from = event.target, list = inRow(from.closest("tr")), at = list.indexOf(from);
    switch (event.key) {
      case "ArrowLeft": return list[at - 1];
      case "ArrowRight": return list[at + 1];
      case "ArrowUp": return vertical(from, -1);
      case "ArrowDown": return vertical(from, 1);
      case "Home": return event.ctrlKey ? edge(false) : list[0];
      case "End": return event.ctrlKey ? edge(true) : list.at(-1);
    }
  };

  const prepare = () => {
    const t = table();
    if (!t) return;
    t.setAttribute("role", "grid");
    rove();
    count();
  };
  const count = () => {
    const bar = document.querySelector("[data-selected]");
    if (!bar) return;
    bar.dataset.label ??= bar.textContent;
    const n = document.querySelectorAll("td.pick input:checked").length;
    bar.textContent = n ? `${bar.dataset.label}: ${n}` : bar.dataset.label;
    for (const row of table().tBodies[0].rows) row.toggleAttribute("data-picked", Boolean(row.querySelector("td.pick input:checked")));
  };

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    const writing = at.matches("input:not([type=checkbox], [type=radio]), textarea, select");
    if (at.matches("table.people :is(" + controls + ")")) {
      const to = move(event);
      if (to) {
        rove(to);
        to.focus();
      } else if (event.key === "Enter" && at.matches("input")) {
        at.closest("tr").querySelector("th.who > a").click();
      } else if (event.key === "x") {
        at.closest("tr").querySelector("td.pick input")?.click();
      }
      if (to || event.key === "x" || /^(Arrow|Home|End)/.test(event.key) || (event.key === "Enter" && at.matches("input"))) {
        event.preventDefault();
        return;
      }
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.getElementById("search");
    if (event.key === "/" && !writing && search) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "?" && !writing) {
      const keys = document.getElementById("keys");
      if (keys) {
        keys.open = !keys.open;
        keys.querySelector("summary").focus();
      }
    } else if (event.key === "Escape" && at === search) {
      const stop = table()?.querySelector("[data-stop]");
      (stop ?? search).focus();
      if (!stop) search.blur();
    }
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("table.people :is(" + controls + ")")) rove(event.target);
  });

  // A row that was swapped in a moment ago may not be htmx's yet, and would be
  // sent as a page.
  const save = (form) => {
    htmx.process(form);
    form.requestSubmit();
  };
  // What a privilege includes is switched on with it, and what includes one that
  // is switched off goes with it.
  const along = (changed) => {
    for (const other of changed.form.querySelectorAll("input[data-implies]:not(:disabled)")) {
      const includes = (a, b) => a.dataset.implies.split(" ").includes(b.value);
      if (changed.checked && includes(changed, other)) other.checked = true;
      if (!changed.checked && includes(other, changed)) other.checked = false;
    }
  };
  document.addEventListener("change", (event) => {
    const at = event.target;
    if (at.matches("table.people td.sw input")) save(at.form);
    else if (at.matches("td.pick input")) count();
    else if (at.matches(".fold input")) at.closest("tr").toggleAttribute("data-open", at.checked);
    else if (at.matches(".panel-form select[name=role]")) preview(at);
    else if (at.matches(".panel-form input[data-implies]")) along(at);
  });
  // What belongs to the reader and not to the server outlives the swap of a row.
  document.addEventListener("htmx:after:swap", (event) => {
    const row = event.target.closest?.("table.people tr");
    if (row) {
      const pick = row.querySelector("td.pick input"), fold = row.querySelector(".fold input");
      if (pick) pick.checked = row.hasAttribute("data-picked");
      if (fold) fold.checked = row.hasAttribute("data-open");
      rove(document.activeElement);
    } else {
      prepare();
    }
  });

  // A chosen role shows what it gives before anything is saved. What differs
  // from it is then said relative to that role.
  const preview = (select) => {
    const form = select.form;
    const words = (s) => (s ?? "").split(" ").filter(Boolean);
    const gives = new Set([...words(select.selectedOptions[0].dataset.gives), ...words(form.dataset.allow)]);
    for (const d of words(form.dataset.deny)) gives.delete(d);
    for (const old of form.querySelectorAll("input[name=was]")) old.remove();
    for (const box of form.querySelectorAll("input[name=privilege]")) {
      box.checked = gives.has(box.value);
      if (!box.checked) continue;
      const was = document.createElement("input");
      was.type = "hidden";
      was.name = "was";
      was.value = box.value;
      form.append(was);
    }
  };
  prepare();
}
