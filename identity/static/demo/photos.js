// A person's photos: each is loaded by itself, and one that cannot be shown hides no other; one upload at a time.
import { $, complain, say, show } from "./page.js";

function made(tag, text = "", kind = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  node.className = kind;
  return node;
}

/** Say in a photo's place why it is not shown, and what can be done about it. */
function explained(reason, action) {
  const place = made("div", "", "demo-broken");
  place.append(made("p", reason), action);
  return place;
}

async function picture(blob, name) {
  const image = document.createElement("img");
  image.alt = `Photo ${name}`;
  image.src = URL.createObjectURL(blob);
  await image.decode();
  return image;
}

function saving(blob, name) {
  const link = made("a", "Save the file", "button");
  link.dataset.kind = "quiet";
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.setAttribute("aria-label", `Save the file ${name}`);
  return link;
}

function again(name, act) {
  const button = made("button", "Try again", "button");
  button.type = "button";
  button.dataset.kind = "quiet";
  button.setAttribute("aria-label", `Try again to show ${name}`);
  button.addEventListener("click", act);
  return button;
}

/** Return a photo's place in the list; it fills itself. */
function photo(bucket, key, name) {
  const figure = document.createElement("figure");
  const caption = made("figcaption", name);
  async function load() {
    figure.replaceChildren(made("div", "Loading…", "demo-broken"), caption);
    let blob;
    try {
      blob = await bucket.get(key);
    } catch (problem) {
      figure.replaceChildren(explained(`This photo cannot be shown. ${problem.message}`, again(name, load)), caption);
      return;
    }
    try {
      figure.replaceChildren(await picture(blob, name), caption);
    } catch {
      const reason = "This file is stored, but it is no picture that this browser can show.";
      figure.replaceChildren(explained(reason, saving(blob, name)), caption);
    }
  }
  load();
  const item = document.createElement("li");
  item.append(figure);
  return item;
}

/** The photos of one identity. */
export class Photos {
  #items = new Map();
  #uploading = false;

  constructor(bucket, home) {
    this.bucket = bucket;
    this.home = home;
    $("upload").addEventListener("submit", (event) => {
      event.preventDefault();
      this.upload();
    });
    $("upload-button").disabled = false;
  }

  /** Show what the storage lists; what is shown already stays as it is. */
  async refresh() {
    let keys;
    try {
      keys = (await this.bucket.list(this.home)).filter((key) => !key.endsWith("/"));
    } catch (problem) {
      complain(`Your photos cannot be listed. ${problem.message}`);
      return;
    }
    show("empty", keys.length === 0);
    const kept = keys.map((key) => [
      key,
      this.#items.get(key) ?? photo(this.bucket, key, key.slice(this.home.length).replace(/^\d+-/, "")),
    ]);
    this.#items = new Map(kept);
    $("photos").replaceChildren(...this.#items.values());
  }

  /** Store the chosen file, once however often that is asked for. */
  async upload() {
    const file = $("photo").files[0];
    if (!file || this.#uploading) return;
    this.#uploading = true;
    $("upload-button").setAttribute("aria-disabled", "true");  // not disabled: it would lose the focus
    complain("");
    say("status", `Uploading ${file.name}…`);
    $("progress").value = 0;
    show("progress");
    try {
      await this.send(file);
      $("upload").reset();
      await this.refresh();
      say("status", `${file.name} is stored.`, "good");
    } catch (problem) {
      say("status", `${file.name} was not stored. ${problem.message}`, "bad");
    } finally {
      show("progress", false);
      $("upload-button").removeAttribute("aria-disabled");
      this.#uploading = false;
    }
  }

  async send(file) {
    try {
      await file.slice(0, 1).arrayBuffer();
    } catch {
      throw new Error("The file cannot be read; it may have been moved or changed since. Choose it once more.");
    }
    const type = file.type || "application/octet-stream";
    await this.bucket.put(`${this.home}${Date.now()}-${file.name}`, file, type, (part) => { $("progress").value = part; });
  }
}
