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
