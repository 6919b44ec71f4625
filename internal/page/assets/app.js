"use strict";
// What has changed on the server is put in where it differs, commands can be copied, the arrow keys turn pages, and "3 min ago"
// stays true.

document.documentElement.classList.add("js");

// morph makes one tree equal to another and leaves what is equal as it is: focus, selection and scrolling stay.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morphChildren(old, fresh);
}

function morphChildren(old, fresh) {
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((node, i) => (i < before.length ? morph(before[i], node) : old.append(node)));
  before.slice(after.length).forEach((node) => node.remove());
}

const main = document.querySelector("[data-events]");
if (main) {
  const source = new EventSource(main.dataset.events);
  source.addEventListener("regions", (event) => {
    for (const { id, html } of JSON.parse(event.data)) {
      const fresh = document.createElement("template");
      fresh.innerHTML = html;
      morphChildren(document.getElementById(id), fresh.content);
    }
    begin();
  });
  source.addEventListener("end", () => source.close());
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.firstElementChild;
  const code = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(code.textContent);
    label.textContent = "Copied";
  } catch {
    // Without the right to the clipboard, as over plain HTTP from another machine: Ctrl+C does it.
    getSelection().selectAllChildren(code);
    label.textContent = "Selected";
  }
  setTimeout(() => (label.textContent = "Copy"), 2000);
});

document.addEventListener("keydown", (event) => {
  const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  // Choices and what can be scrolled take the arrows for themselves.
  if (!rel || modified || event.target.closest("select, input, [tabindex]")) return;
  document.querySelector(`a[rel=${rel}]`)?.click();
});

function ago(ms) {
  const s = Math.max(Math.floor(ms / 1000), 0);
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400).toLocaleString("en")} days ago`;
}
setInterval(() => {
  for (const element of document.querySelectorAll("[data-ago]")) element.textContent = ago(Date.now() - Date.parse(element.dataset.ago));
}, 5000);

// The frame under the pointer, or at the slider, of an episode's lanes. One question is under way at a time; the last one counts.
let wanted = null;
let asking = false;
async function look(lanes) {
  if (asking) return;
  asking = true;
  while (wanted !== null) {
    const index = wanted;
    wanted = null;
    const answer = await fetch(`/episodes/${lanes.dataset.episode}/at/${index}`).catch(() => null);
    if (answer?.ok) glimpse(lanes.querySelector(".preview"), await answer.json());
  }
  asking = false;
}

function glimpse(preview, { frame, time, path, image, labels }) {
  const link = document.createElement("a");
  link.href = path;
  link.className = "code";
  link.textContent = time;
  link.title = frame;
  const list = document.createElement("ul");
  for (const text of labels) list.append(Object.assign(document.createElement("li"), { textContent: text }));
  const words = document.createElement("div");
  words.append(link, list);
  preview.replaceChildren(words);
  if (image) preview.prepend(Object.assign(document.createElement("img"), { src: image, alt: "", width: 160, height: 90 }));
}

function lookAt(lanes, index) {
  lanes.querySelector("input").value = wanted = index;
  look(lanes);
}

const under = (svg, lanes, event) => {
  const { left, width } = svg.getBoundingClientRect();
  const share = Math.min(Math.max((event.clientX - left) / width, 0), 1);
  return Math.round(+lanes.dataset.first + share * (lanes.dataset.last - lanes.dataset.first));
};
for (const [type, then] of [
  ["pointermove", lookAt],
  ["click", (lanes) => lanes.querySelector(".preview a")?.click()],
]) {
  document.addEventListener(type, (event) => {
    const svg = event.target.closest?.(".lane svg");
    const lanes = svg?.closest(".lanes");
    if (lanes) then(lanes, under(svg, lanes, event));
  });
}
// begin shows the first frame of lanes that have come onto the page.
function begin() {
  const lanes = document.querySelector(".lanes");
  if (lanes && !lanes.querySelector(".preview").hasChildNodes()) lookAt(lanes, lanes.dataset.first);
}
begin();
document.addEventListener("input", (event) => {
  const lanes = event.target.closest(".lanes");
  if (lanes) lookAt(lanes, event.target.value);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches(".looker input")) event.target.closest(".lanes").querySelector(".preview a")?.click();
});
