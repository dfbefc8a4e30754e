// Toasts stay long enough to be read and reached, and for as long as somebody
// is at them.
if (live) {
  const stay = 10000;
  const region = document.getElementById("toasts");
  let timer;
  const busy = () => region.matches(":hover") || region.contains(document.activeElement);
  const arm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (busy() ? arm() : region.replaceChildren()), stay);
  };
  new MutationObserver(() => {
    if (region.firstElementChild) arm();
  }).observe(region, { childList: true });
  region.addEventListener("keydown", (event) => {
    if (event.key === "Escape") region.replaceChildren();
  });
  region.addEventListener("htmx:after:request", () => region.replaceChildren());
}
