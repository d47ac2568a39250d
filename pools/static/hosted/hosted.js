// What pages gain with a script: showing a password, a word on Caps Lock, ticking off the policy, counting down.
// Every page is complete without it.

for (const place of document.querySelectorAll("[data-reveal]")) {
  const input = place.querySelector("input");
  const button = document.createElement("button");
  const set = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? place.dataset.conceal : place.dataset.reveal;
    button.setAttribute("aria-pressed", String(shown));
  };
  button.type = "button";
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => set(input.type === "password"));
  input.form?.addEventListener("submit", () => set(false));
  set(false);
  place.append(button);

  const caps = document.createElement("p");
  caps.className = "help caps";
  caps.setAttribute("role", "status");
  place.after(caps);
  for (const kind of ["keydown", "keyup", "pointerdown"]) {
    input.addEventListener(kind, (event) => {
      const on = event.getModifierState?.("CapsLock") ?? false;
      if (on !== Boolean(caps.textContent)) caps.textContent = on ? place.dataset.caps : "";
    });
  }
  input.addEventListener("blur", () => { caps.textContent = ""; });
}

const RULES = {
  length: (text, least) => [...text].length >= least,
  lower: (text) => /[a-z]/.test(text),
  upper: (text) => /[A-Z]/.test(text),
  digit: (text) => /[0-9]/.test(text),
  symbol: (text) => /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/.test(text),
};
for (const list of document.querySelectorAll("[data-policy]")) {
  const input = document.getElementById(list.dataset.policy);
  const tick = () => {
    for (const item of list.children) {
      item.toggleAttribute("data-met", RULES[item.dataset.rule](input.value, Number(item.dataset.least)));
    }
  };
  input?.addEventListener("input", tick);
  if (input) tick();
}

const SPOKEN_AFTER = 200; // a status is read out when its text changes, not when it appears

for (const button of document.querySelectorAll("[data-wait]")) {
  const label = button.textContent;
  const until = performance.now() + Number(button.dataset.wait) * 1000;
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  status.className = "visually-hidden";
  button.after(status);
  // Said at the beginning and at the end, not every second.
  setTimeout(() => { status.textContent = button.dataset.begun; }, SPOKEN_AFTER);
  button.disabled = true;
  const show = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${button.dataset.waiting} ${left} s` : label;
    if (left > 0) setTimeout(show, 1000);
    else status.textContent = button.dataset.ready;
  };
  show();
}
