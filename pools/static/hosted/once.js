// A form is sent once: its button is out of use until the answer comes, and says so when that takes longer.
// Without this the server sees to it alone: whoever sends a form twice gets the first answer again.

const SHOWN_AFTER = 150; // a quick answer needs no word
const SPOKEN_AFTER = 350; // a status is read out when its text changes, not when it appears
const GIVEN_UP_AFTER = 10_000; // no answer came, or it was stopped: the form may be sent again

const under_way = new Map();

const release = (form) => {
  const { button, status, timers } = under_way.get(form);
  under_way.delete(form);
  timers.forEach(clearTimeout);
  if (button) {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    button.removeAttribute("data-working");
  }
  status.remove();
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
  if (under_way.has(form)) {
    event.preventDefault();
    return;
  }
  const button = event.submitter ?? form.querySelector("button[type=submit]");
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  status.className = "visually-hidden";
  const timers = [
    // What is sent is collected after this event, and a button out of use would be left out.
    setTimeout(() => {
      if (!button) return;
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
    }),
    setTimeout(() => {
      button?.setAttribute("data-working", "");
      form.append(status);
    }, SHOWN_AFTER),
    setTimeout(() => { status.textContent = document.body.dataset.working ?? ""; }, SPOKEN_AFTER),
    setTimeout(() => release(form), GIVEN_UP_AFTER),
  ];
  under_way.set(form, { button, status, timers });
});

// A page that is gone back to is as it was left.
addEventListener("pageshow", () => { for (const form of [...under_way.keys()]) release(form); });
