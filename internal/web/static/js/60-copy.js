// A button beside a field copies what is in it. Without scripts one marks and
// copies it by hand, so there is no button.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    document.getElementById("live").textContent = button.dataset.copied;
    button.textContent = button.dataset.copied;
  });
}
