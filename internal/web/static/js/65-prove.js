// The link in a mail carries the code behind a #, which browsers send to nobody. It
// is put into the field and taken out of the address; sending it is left to the
// person. Without scripts one types it.
for (const field of document.querySelectorAll("[data-from-link]")) {
  const code = location.hash.slice(1);
  if (!/^[A-Z2-9-]{8,40}$/.test(code)) continue;
  field.value = code;
  history.replaceState(history.state, "", location.pathname);
}
