// How far a class list is, while a page of it is open. When the server cannot be
// asked in this way, the page is loaded again, as without scripts.
for (const box of document.querySelectorAll("[data-events]")) {
  const again = () => location.reload();
  if (!window.EventSource) {
    setTimeout(again, 3000);
    continue;
  }
  const source = new EventSource(box.dataset.events);
  source.addEventListener("progress", (event) => {
    const { done, rows, text } = JSON.parse(event.data);
    const bar = box.querySelector("progress");
    bar.max = rows;
    bar.value = done;
    box.querySelector("[data-progress]").textContent = text;
  });
  source.addEventListener("end", () => {
    source.close();
    again();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(again, 3000);
  });
}
