// What htmx leaves to do. Every page works without this file.
"use strict";
if (window.htmx) {
  // Rows of switches save by themselves from here on: see .live in app.css.
  document.documentElement.classList.add("live");
  const problems = document.getElementById("problems");

  // Neither an error nor silence may leave a switch as if it were saved: a
  // form that is reset shows again what the server sent.
  const undo = (form) => {
    if (form.closest?.("tr")) form.reset();
  };
  // An answer that a later click has overtaken must not turn that click back:
  // a row shows the answer to its newest request alone.
  const newest = new WeakMap();
  document.addEventListener("htmx:config:request", (event) => {
    const row = event.target.closest?.("tr");
    if (row) newest.set(row, event.detail.ctx);
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const row = event.target.closest?.("tr");
    if (row && newest.has(row) && newest.get(row) !== event.detail.ctx) event.preventDefault();
  });
  document.addEventListener("htmx:before:request", () => problems.replaceChildren());
  document.addEventListener("htmx:response:error", (event) => {
    if (event.detail.ctx.hx.retarget) undo(event.target);
  });
  document.addEventListener("htmx:error", (event) => {
    undo(event.target);
    const note = document.createElement("div");
    note.className = "summary";
    note.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = "The server could not be reached, so nothing was saved. Check your connection and try again.";
    note.append(text);
    problems.replaceChildren(note);
  });
}
