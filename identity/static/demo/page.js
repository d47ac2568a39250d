// What every part of the sample says on the page.

export const $ = (id) => document.getElementById(id);
export const show = (id, on = true) => { $(id).hidden = !on; };

export function say(id, text, kind = "") {
  $(id).textContent = text;
  $(id).className = kind || "soft";
}

export function complain(text) {
  $("problem").textContent = text;
  show("problem", Boolean(text));
}
