// What htmx leaves to do. Every page works without this file.
"use strict";
const live = Boolean(window.htmx);
// Rows of switches save by themselves once htmx, whose own timer runs first,
// has seen the page: see .live in the styles.
if (live) setTimeout(() => document.documentElement.classList.add("live"));

{
  const problems = document.getElementById("problems");
  const rowOf = (target) => target.closest?.("tr");
  const formOf = (row) => row?.querySelector("td.save form");

  // Neither an error nor silence may leave a switch as if it were saved: a
  // form that is reset shows again what the server sent.
  const reset = (target) => formOf(rowOf(target))?.reset();
  // An answer that a later click has overtaken must not turn that click back:
  // a row shows the answer to its newest request alone.
  const newest = new WeakMap();
  document.addEventListener("htmx:config:request", (event) => {
    const row = rowOf(event.target);
    if (row) newest.set(row, event.detail.ctx);
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const row = rowOf(event.target);
    if (row && newest.has(row) && newest.get(row) !== event.detail.ctx) event.preventDefault();
  });
  document.addEventListener("htmx:before:request", () => problems.replaceChildren());
  document.addEventListener("htmx:response:error", (event) => {
    if (event.detail.ctx.hx.retarget) reset(event.target);
  });
  document.addEventListener("htmx:error", (event) => {
    reset(event.target);
    const note = document.createElement("div");
    note.className = "summary";
    note.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = document.body.dataset.unreachable;
    note.append(text);
    problems.replaceChildren(note);
  });
}
