"use strict";
// A layer under the pointer (or chosen with the arrow keys) lights up in every chart, strip and table of its
// model, and its numbers, which the tables already hold, are read out below the charts.
function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

for (const model of document.querySelectorAll(".model")) {
  let lit = null;

  function light(layer) {
    if (layer === lit) return;
    lit = layer;
    for (const old of model.querySelectorAll(".lit")) old.classList.remove("lit");
    if (layer !== null)
      for (const part of model.querySelectorAll(`[data-t="${layer}"]`)) part.classList.add("lit");
  }

  function read(group) {
    const readout = group.querySelector(".readout");
    readout.replaceChildren(element("b", `${group.dataset.axis} ${lit}`));
    for (const row of group.querySelectorAll(`tr[data-t="${lit}"]`)) {
      const table = row.closest("table");
      const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent);
      const cells = [...row.children].map((cell) => cell.textContent);
      const entry = element("div");
      entry.append(element("b", table.caption.textContent));
      for (let i = 1; i < cells.length; i++) entry.append(element("span", `${names[i]} ${cells[i]}`));
      readout.append(entry);
    }
    readout.hidden = false;
  }

  for (const group of model.querySelectorAll(".group")) {
    const hide = () => { light(null); const readout = group.querySelector(".readout"); if (readout) readout.hidden = true; };
    group.addEventListener("pointerover", (event) => {
      const hit = event.target.closest("[data-t]");
      if (hit) { light(hit.dataset.t); read(group); }
    });
    group.addEventListener("pointerleave", hide);
    for (const chart of group.querySelectorAll(".chart")) {
      const layers = [...chart.querySelectorAll(".hit")].map((hit) => hit.dataset.t);
      if (!layers.length) continue;
      chart.tabIndex = 0;
      chart.addEventListener("blur", hide);
      chart.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const at = layers.indexOf(lit);
        light(layers[at < 0 ? 0 : Math.min(Math.max(at + step, 0), layers.length - 1)]);
        read(group);
      });
    }
  }
  for (const strip of model.querySelectorAll(".strips")) {
    strip.addEventListener("pointerover", (event) => light(event.target.dataset.t ?? null));
    strip.addEventListener("pointerleave", () => light(null));
  }
}
// The tooltips of a page without scripts would say the same twice.
for (const title of document.querySelectorAll(".hit > title")) title.remove();

// Printed pages show the numbers too.
addEventListener("beforeprint", () => {
  for (const closed of document.querySelectorAll("details")) closed.open = true;
});
