// The link in a mail carries the code behind a #, which browsers send to nobody. It
// is put into the field and taken out of the address; sending it is left to the
// person. A link that is opened where the page stands already loads nothing anew.
// Without scripts one types the code.
const fromLink = () => {
  const code = location.hash.slice(1);
  const field = document.querySelector("[data-from-link]");
  if (!field || !/^[A-Z2-9-]{8,40}$/.test(code)) return;
  field.value = code;
  history.replaceState(history.state, "", location.pathname);
};
fromLink();
addEventListener("hashchange", fromLink);
