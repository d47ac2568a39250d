// What the console does beyond plain pages: copy buttons, confirm dialogs, notes that can be closed.
// Everything works without it.

const words = document.body.dataset;  // in the page's language

const copyValue = async (button) => {
  const label = button.querySelector("[data-state]");
  const value = button.parentElement.querySelector(".value").textContent;
  try {
    await navigator.clipboard.writeText(value);
    label.textContent = words.copied;
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector(".value"));
    label.textContent = words.selected;
  }
  setTimeout(() => { label.textContent = words.copyLabel; }, 2000);
};

const matching = (form) => {
  const field = form.querySelector("[data-must-equal]");
  const button = form.querySelector("button[type=submit]");
  const check = () => { button.disabled = field.value !== field.dataset.mustEqual; };
  field.addEventListener("input", check);
  check();
};

const dress = (root) => {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  for (const form of root.querySelectorAll("form[data-confirm]")) matching(form);
  for (const toast of root.querySelectorAll("[data-toast]:not(:has(button))")) {
    const close = document.createElement("button");
    close.type = "button";
    close.className = "close";
    close.setAttribute("aria-label", words.closeNote);
    close.textContent = "×";
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
  }
};

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) copyValue(copy);
  const opener = event.target.closest("a[data-dialog]");
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog?.showModal) {
      event.preventDefault();
      dialog.showModal();
      dialog.addEventListener("close", () => opener.focus(), { once: true });
    }
  }
  const closer = event.target.closest("dialog [data-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
});

document.addEventListener("htmx:load", (event) => dress(event.detail.elt));
dress(document);
document.querySelector("[aria-invalid=true]")?.focus();
