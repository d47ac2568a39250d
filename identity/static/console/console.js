// What the console does beyond plain pages: copy buttons, confirm dialogs, notes that can be closed.
// Everything works without it.

const said = async (button) => {
  const label = button.querySelector("[data-said]");
  const value = button.parentElement.querySelector(".value").textContent;
  try {
    await navigator.clipboard.writeText(value);
    label.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector(".value"));
    label.textContent = "Selected";
  }
  setTimeout(() => { label.textContent = "Copy"; }, 2000);
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
    close.setAttribute("aria-label", "Close this note");
    close.textContent = "×";
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
  }
};

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) said(copy);
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
