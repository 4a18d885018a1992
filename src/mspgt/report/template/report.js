"use strict";
// Without this script everything is on the page already. It makes what waits in a closed part when that part is
// opened, lights up a layer in every chart of its model, reads its numbers out, and hands numbers out as files.
const everything = (selector, inside = document) => [...inside.querySelectorAll(selector)];

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

// The name of a chart is a link to it.
function link(inside) {
  for (const name of everything("figure[id] > figcaption > b", inside)) {
    const made = element("a", name.textContent);
    made.href = `#${name.closest("figure").id}`;
    name.replaceChildren(made);
  }
}

// What waits: the content of <noscript>, which to a browser with scripts is one piece of text.
function fill(waiting) {
  const holder = document.createElement("template");
  holder.innerHTML = waiting.textContent;
  const made = [...holder.content.querySelectorAll(".charts:has(+ .readout) .chart[data-count]")];
  link(holder.content);
  waiting.replaceWith(holder.content);
  made.forEach(prepare);
}

function open(part) {
  part.open = true;
  everything(":scope > noscript", part).forEach(fill);
}

function openAll() {
  everything("noscript").forEach(fill);
  const closed = everything("details:not([open])");
  closed.forEach((part) => { part.open = true; });
  return closed;
}

document.addEventListener("toggle", ({ target }) => { if (target.open) open(target); }, true);

// A link may lead into what still waits, or into a closed part.
function reveal() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id) return;
  if (!document.getElementById(id)) {
    const waiting = everything("noscript").find((one) => one.textContent.includes(`id="${CSS.escape(id)}"`));
    if (waiting) fill(waiting);
  }
  const target = document.getElementById(id);
  if (!target) return;
  for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) open(part);
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);

// Printing and searching the page reach everything.
let opened = [];
addEventListener("beforeprint", () => { opened = openAll(); });
addEventListener("afterprint", () => { opened.forEach((part) => { part.open = false; }); });
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "f") everything("noscript").forEach(fill);
});

// Numbers lie once in the page: in the table of a chart, or as comma-separated text beside it.
function tableOf(figure) {
  const numbers = figure.parentElement.nextElementSibling?.nextElementSibling;
  if (!numbers?.matches("details")) return null;
  everything("noscript", numbers).forEach(fill);
  const title = figure.querySelector("figcaption b").textContent;
  return everything("table.numbers", numbers).find((table) => table.caption.textContent === title);
}

// `0.5 [0.4, 0.6]` is a value with its interval.
const INTERVAL = /^(\S+) \[(\S+), (\S+)\]$/;
const plain = (number) => number === "—" ? "" : number.replaceAll("−", "-").replaceAll(",", "");
// A cell that spans rows stands in each of them.
function cellsOf(table) {
  const spanning = [];
  return [...table.tBodies[0].rows].map((row) => {
    const own = [...row.cells];
    return [...table.tHead.rows[0].cells].map((_, at) => {
      const cell = spanning[at] ?? own.shift();
      if (cell.rowSpan > 1) spanning[at] = cell;
      return cell.textContent;
    });
  });
}
function columns(table) {
  const cells = cellsOf(table);
  return [...table.tHead.rows[0].cells].flatMap(({ textContent: name }, at) => {
    const written = cells.map((row) => row[at]);
    const found = written.map((cell) => INTERVAL.exec(cell)?.slice(1) ?? [cell, "", ""]);
    const wide = written.some((cell) => INTERVAL.test(cell));
    return ["", " low", " high"].slice(0, wide ? 3 : 1)
      .map((end, part) => [name + end, ...found.map((parts) => plain(parts[part]))]);
  });
}

const read = new WeakMap();
function rows(chart) {
  const figure = chart.closest("figure");
  if (!read.has(figure)) {
    const table = tableOf(figure), found = table ? columns(table) : [[]];
    read.set(figure, found[0].map((_, row) => found.map((column) => column[row])));
  }
  return read.get(figure);
}

const quoted = (cell) => /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
function fileOf(link) {
  const beside = link.closest("figure, section").querySelector("script");
  if (beside) return beside.textContent.replaceAll("\\u003c", "<");
  return rows(link).map((row) => row.map(quoted).join(",") + "\n").join("");
}

document.addEventListener("click", ({ target }) => {
  const link = target.closest?.("a[download]");
  const text = link && fileOf(link);
  if (!text) return;
  if (!link.download) link.download = `${link.closest("figure").id.replace(/^model-/, "")}.csv`;
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.href = address;
  setTimeout(() => URL.revokeObjectURL(address), 60000);
});

const short = (value) => value === "" ? "—" : Number(value).toPrecision(3).replace("-", "−");

// What lights up a layer: of a chart, a band from its head to its axis behind its curves; of a strip, a block.
const LEFT = 44, HEAD = 24, FOOT = 26; // of every chart over layers, as it is drawn
function glowOf(chart) {
  const glow = document.createElementNS("http://www.w3.org/2000/svg", "rect"), blocks = chart.querySelector("svg");
  const size = blocks ? { width: 1, height: 1 }
    : { y: HEAD, width: chart.dataset.step, height: chart.viewBox.baseVal.height - HEAD - FOOT };
  for (const [name, value] of Object.entries(size)) glow.setAttribute(name, value);
  glow.classList.add("glow");
  if (blocks) blocks.append(glow);
  else chart.prepend(glow);
  return glow;
}

// `lit` is the layer that is lit up, by model.
const lit = new WeakMap();
function light(model, layer) {
  if (lit.get(model) === layer) return;
  lit.set(model, layer);
  for (const chart of everything("svg[data-count]", model)) {
    const glow = chart.querySelector(".glow") ?? glowOf(chart), { first, count, step } = chart.dataset;
    const at = layer - (first ?? 1);
    const inside = layer !== null && at >= 0 && at < count;
    glow.classList.toggle("lit", inside);
    if (inside) glow.setAttribute("x", first === undefined ? at : LEFT + (at - 0.5) * step);
  }
  for (const old of everything("tr.lit", model)) old.classList.remove("lit");
  if (layer !== null)
    for (const table of everything("table.numbers", model)) {
      const body = table.tBodies[0].rows;
      body[layer - body[0].cells[0].textContent]?.classList.add("lit");
    }
}

function tell(charts, layer) {
  const readout = charts.nextElementSibling;
  readout.replaceChildren(element("b", `${charts.dataset.axis} ${layer}`));
  for (const chart of everything(".chart[data-count]", charts)) {
    const [names, ...found] = rows(chart);
    const row = found.find(([first]) => first === String(layer));
    if (!row) continue;
    const entry = element("div");
    entry.append(element("b", chart.closest("figure").querySelector("figcaption b").textContent));
    for (let i = 1; i < names.length; i++) {
      if (/ (low|high)\d*$/.test(names[i])) continue;
      const ends = names[i + 1] === `${names[i]} low` && row[i + 1] !== "" ? ` [${short(row[i + 1])}, ${short(row[i + 2])}]` : "";
      entry.append(element("span", `${names[i]} ${short(row[i])}${ends}`));
    }
    readout.append(entry);
  }
  readout.hidden = false;
}

function layerAt(chart, event) {
  const box = chart.getBoundingClientRect(), { first, count, step } = chart.dataset;
  const share = (event.clientX - box.left) / box.width;
  if (first === undefined) return Math.min(Math.max(Math.ceil(share * count), 1), +count);
  const at = Math.round((share * chart.viewBox.baseVal.width - LEFT) / step);
  return at < 0 || at >= count ? null : +first + at;
}

const chartsOf = (chart) => chart.closest(".charts[data-axis]");
const modelOf = (chart) => chart.closest(".model") ?? chart.closest(".part");

function leave(chart) {
  light(modelOf(chart), null);
  const readout = chartsOf(chart)?.nextElementSibling;
  if (readout) readout.hidden = true;
}

function prepare(chart) {
  chart.tabIndex = 0;
  chart.addEventListener("pointermove", (event) => {
    const layer = layerAt(chart, event);
    if (layer === null) return leave(chart);
    light(modelOf(chart), layer);
    tell(chartsOf(chart), layer);
  });
  chart.addEventListener("pointerleave", () => leave(chart));
  chart.addEventListener("blur", () => leave(chart));
  chart.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") leave(chart);
    if (!move) return;
    event.preventDefault();
    const first = +chart.dataset.first, last = first + +chart.dataset.count - 1, at = lit.get(modelOf(chart)) ?? null;
    const layer = at === null ? first : Math.min(Math.max(at + move, first), last);
    light(modelOf(chart), layer);
    tell(chartsOf(chart), layer);
  });
}

everything(".charts:has(+ .readout) .chart[data-count]").forEach(prepare);
for (const strip of everything(".model .strip")) {
  strip.addEventListener("pointermove", (event) => light(modelOf(strip), layerAt(strip, event)));
  strip.addEventListener("pointerleave", () => light(modelOf(strip), null));
}

// Text that is there to be copied gets a button.
for (const shown of everything(".copy")) {
  const button = element("button", "Copy", "copier");
  button.type = "button";
  button.setAttribute("aria-label", `Copy: ${shown.id.replace("-", " ")}`);
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(shown);
    try {
      await navigator.clipboard.writeText(shown.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: press Ctrl-C";
    }
  });
  shown.before(button);
}

link(document);
reveal();
