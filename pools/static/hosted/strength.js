// Says while a password is chosen how strong it is: the server knows, after a pause in typing. Whether it is in a known
// leak is asked only when it has been chosen: of its beginnings nobody else may hear.
// The page is complete without it, and so it stays silent when the server is busy or away.

const PAUSE = 400;

for (const place of document.querySelectorAll("[data-strength]")) {
  const input = document.getElementById(place.dataset.strength);
  if (!input) continue;
  const meter = place.querySelector("meter");
  const status = place.querySelector("[role=status]");
  let timer;
  let asked;

  const show = (value, said) => {
    meter.value = value;
    if (status.textContent !== said) status.textContent = said;
  };

  const ask = async (chosen) => {
    asked = new AbortController();
    const body = new URLSearchParams({
      [place.dataset.tokenField]: place.dataset.token,
      username: input.form?.elements.username?.value ?? "",
      password: input.value,
      chosen,
    });
    try {
      const answer = await fetch(place.dataset.url, { method: "POST", body, signal: asked.signal });
      if (!answer.ok) throw new Error(answer.status);
      const { score, said } = await answer.json();
      show(score + 1, said);
    } catch (problem) {
      if (problem.name !== "AbortError") show(0, "");
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    asked?.abort();
    if (input.value) timer = setTimeout(ask, PAUSE, "0");
    else show(0, "");
  });
  input.addEventListener("change", () => {
    clearTimeout(timer);
    asked?.abort();
    if (input.value) ask("1");
  });
  input.form?.addEventListener("submit", () => {
    clearTimeout(timer);
    asked?.abort();
  });
  place.hidden = false;
}
