// A chart over time: lines or stacked areas in SVG, a legend that shows the values at the cursor, and a table.
//
// The cursor is the value of a range input that lies over the plot: arrow keys move it, and a screen reader
// says what it points at. The pointer moves the same cursor.

import { NONE, date, hourAndMinute, moment, time, weekdayAndHour } from "./format.js";
import { KeyedList, arrange, element, holdsSelection, setAttribute, setText, shape, watchScrolling } from "./dom.js";
import { ticks, timeTicks } from "./scales.js";

const LEFT = 58;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 20;
const HEIGHT = 170;

export class TimeChart {
  constructor({ name, stacked = false, least = 0, empty, moved }) {
    this.name = name;
    this.stacked = stacked;
    this.least = least; // what the axis shows at least, so that noise near nothing looks like it
    this.emptyText = empty;
    this.model = null;
    this.width = 0;
    this.at = null; // where the cursor is; null is the newest value
    this.build(moved);
  }

  build(moved) {
    this.note = element("span", { class: "note" });
    this.when = element("span", { class: "when" });
    this.legend = element("ul", { class: "legend" });
    this.entries = new KeyedList(this.legend, (one) => one.name, entry);
    this.cursor = element("input", { type: "range", class: "cursor", min: "0", step: "1", "aria-label": `${this.name}: time` });
    this.grid = shape("g", { class: "grid" });
    this.data = shape("g", { class: "data" });
    this.marks = shape("g", { class: "marks" });
    this.line = shape("line", { class: "pointer", y1: TOP, y2: HEIGHT - BOTTOM });
    this.svg = shape("svg", { class: "plot", "aria-hidden": "true", height: HEIGHT }, this.grid, this.data, this.marks, this.line);
    this.empty = element("p", { class: "empty" });
    this.plot = element("div", { class: "stage" }, this.cursor, this.svg, this.empty);
    this.details = this.table();
    this.node = element("figure", { class: "chart panel" },
      element("figcaption", {}, element("h3", {}, this.name, " ", this.note), this.when),
      this.legend, this.plot, this.details);
    this.plot.addEventListener("pointermove", (event) => moved(this, this.indexAt(event.clientX)));
    this.plot.addEventListener("pointerleave", () => moved(this, null));
    this.cursor.addEventListener("input", () => moved(this, Number(this.cursor.value)));
    this.cursor.addEventListener("focus", () => moved(this, Number(this.cursor.value)));
    this.cursor.addEventListener("blur", () => moved(this, null));
    // The width comes from here alone: to ask for it would lay the page out, once for each chart.
    new ResizeObserver(([{ contentRect }]) => {
      this.width = contentRect.width;
      if (this.model) this.draw();
    }).observe(this.plot);
  }

  table() {
    const region = element("div", { class: "scroll", "aria-label": `${this.name}, as a table` });
    this.tableHead = element("tr");
    this.tableBody = element("tbody");
    this.tableRows = new KeyedList(this.tableBody, (row) => row.key, tableRow);
    region.append(element("table", { "aria-label": this.name }, element("thead", {}, this.tableHead), this.tableBody));
    const details = element("details", {}, element("summary", {}, "Show as table", element("span", { class: "hidden" }, `: ${this.name}`)), region);
    details.addEventListener("toggle", () => this.fillTable());
    watchScrolling(region);
    return details;
  }

  show(model, marks) {
    this.model = model;
    this.length = Math.max(0, ...model.series.map(({ values }) => values.length));
    this.alerts = marks;
    if (this.at !== null && this.at >= this.length) this.at = null;
    setText(this.note, model.note);
    setAttribute(this.cursor, "max", Math.max(0, this.length - 1));
    if (this.at === null) this.cursor.value = this.length - 1;
    this.draw();
    this.fillTable();
  }

  timeAt(index) {
    return this.model.start + index * this.model.step;
  }

  indexAt(clientX) {
    const box = this.svg.getBoundingClientRect();
    const share = (clientX - box.left - LEFT) / Math.max(1, box.width - LEFT - RIGHT);
    return Math.max(0, Math.min(this.length - 1, Math.round(share * (this.length - 1))));
  }

  /** Put the cursor there, or back to the newest value. */
  point(index) {
    this.at = index === null || !this.length ? null : Math.min(index, this.length - 1);
    if (this.at !== null) this.cursor.value = this.at;
    else this.cursor.value = this.length - 1;
    this.read();
  }

  read() {
    const index = this.at ?? this.length - 1;
    const { series, format } = this.model;
    const items = series.map(({ name, kind, values }) => ({ name, kind, text: format(values[index] ?? null) }));
    if (!holdsSelection(this.legend)) this.entries.update(items);
    const shown = !this.length ? "" : this.label(this.timeAt(index));
    setText(this.when, this.at === null ? "latest" : shown);
    setAttribute(this.line, "visibility", this.at === null ? "hidden" : "visible");
    if (this.at !== null) {
      const x = this.x(index).toFixed(1);
      setAttribute(this.line, "x1", x);
      setAttribute(this.line, "x2", x);
    }
    // While it has the focus this would be said again with each answer; then only moving it says something.
    if (document.activeElement !== this.cursor || this.said !== this.cursor.value) {
      this.said = this.cursor.value;
      setAttribute(this.cursor, "aria-valuetext", [shown, ...items.map(({ name, text }) => `${name} ${text}`)].join(", "));
    }
  }

  label(at) {
    return this.model.step >= 3600 ? weekdayAndHour(at) : time(at);
  }

  x(index) {
    return LEFT + (index / Math.max(1, this.length - 1)) * (this.width - LEFT - RIGHT);
  }

  draw() {
    if (!this.width) return;
    setAttribute(this.svg, "viewBox", `0 0 ${this.width} ${HEIGHT}`);
    const layers = this.stacked ? stack(this.model.series) : this.model.series.map((one) => ({ ...one, tops: one.values }));
    const values = layers.flatMap(({ tops }) => tops).filter((value) => value !== null);
    const most = Math.max(0, ...values);
    this.scale = ticks(Math.max(most, this.least), this.model.binary);
    const any = this.stacked ? most > 0 : values.length > 0;
    this.empty.hidden = any;
    setText(this.empty, any ? "" : this.emptyText);
    this.drawGrid();
    this.drawData(any ? layers : []);
    this.drawMarks();
    this.read();
  }

  y(value) {
    return HEIGHT - BOTTOM - (value / this.scale.at(-1)) * (HEIGHT - TOP - BOTTOM);
  }

  drawGrid() {
    const parts = [];
    for (const value of this.scale) {
      const y = this.y(value).toFixed(1);
      parts.push(shape("line", { x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }));
      parts.push(shape("text", { x: LEFT - 6, y: Number(y) + 3.5, class: "end" }, trimmed(this.model.format(value))));
    }
    const [start, end] = [this.timeAt(0), this.timeAt(this.length - 1)];
    const { step, times } = timeTicks(start, end, Math.max(2, Math.floor((this.width - LEFT) / 76)));
    const write = step >= 86400 ? date : step >= 60 ? hourAndMinute : time;
    for (const at of times) {
      const x = LEFT + ((at - start) / Math.max(1, end - start)) * (this.width - LEFT - RIGHT);
      if (x > this.width - 26 || x < LEFT) continue;
      parts.push(shape("text", { x: x.toFixed(1), y: HEIGHT - 5, class: "middle" }, write(at)));
    }
    this.grid.replaceChildren(...parts);
  }

  drawData(layers) {
    const paths = layers.map(({ kind, tops, bases }, at) => {
      const path = this.data.children[at] ?? shape("path");
      setAttribute(path, "class", `${kind} ${bases ? "area" : "line"}`);
      setAttribute(path, "d", bases ? this.area(tops, bases) : this.polyline(tops));
      return path;
    });
    arrange(this.data, paths);
  }

  polyline(values) {
    let path = "";
    let drawing = false;
    values.forEach((value, at) => {
      if (value === null) {
        drawing = false;
        return;
      }
      // A lone value is a line of no length, which its round cap makes a dot.
      path += `${drawing ? "L" : "M"}${this.x(at).toFixed(1)} ${this.y(value).toFixed(1)}${drawing ? "" : "h0"}`;
      drawing = true;
    });
    return path;
  }

  area(tops, bases) {
    if (!tops.length) return "";
    const point = (value, at) => `${this.x(at).toFixed(1)} ${this.y(value).toFixed(1)}`;
    return `M${[...tops.map(point), ...bases.map(point).reverse()].join("L")}Z`;
  }

  drawMarks() {
    const [start, end] = [this.timeAt(0), this.timeAt(this.length - 1)];
    const lines = this.alerts.filter(({ at }) => at >= start && at <= end).map(({ at, severity, message }) => {
      const x = (LEFT + ((at - start) / Math.max(1, end - start)) * (this.width - LEFT - RIGHT)).toFixed(1);
      return shape("line", { class: `mark ${severity}`, x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM },
        shape("title", {}, `${moment(at)}: ${message}`));
    });
    this.marks.replaceChildren(...lines);
  }

  fillTable() {
    if (!this.details.open || !this.model || holdsSelection(this.tableBody)) return;
    const { series, format } = this.model;
    const names = ["Time", ...series.map(({ name }) => name)];
    if (names.join("") !== this.tableHead.textContent) {
      this.tableHead.replaceChildren(...names.map((name, at) => element("th", { scope: "col", class: at ? "numeric" : null }, name)));
    }
    const rows = Array.from({ length: this.length }, (_, at) => ({
      key: this.timeAt(at), label: this.label(this.timeAt(at)), cells: series.map(({ values }) => format(values[at] ?? null)),
    }));
    this.tableRows.update(rows.reverse());
  }
}

/** "0.50/s" as "0.5/s": an axis has round values. */
const trimmed = (text) => text.replace(/\.(\d*?)0+(?=\D|$)/, (_, rest) => (rest ? `.${rest}` : ""));

function stack(series) {
  let bases = null;
  return series.map((one) => {
    bases ??= one.values.map(() => 0);
    const tops = one.values.map((value, at) => bases[at] + (value ?? 0));
    const layer = { ...one, tops, bases };
    bases = tops;
    return layer;
  });
}

function entry() {
  const swatch = element("span", { "aria-hidden": "true" });
  const name = element("span", { class: "name" });
  const value = element("span", { class: "value" });
  const node = element("li", {}, swatch, name, " ", value);
  return {
    node,
    update(item) {
      setAttribute(swatch, "class", `swatch ${item.kind}`);
      setText(name, item.name);
      setText(value, item.text || NONE);
    },
  };
}

function tableRow() {
  const head = element("th", { scope: "row" });
  const node = element("tr", {}, head);
  return {
    node,
    update({ label, cells }) {
      setText(head, label);
      while (node.children.length > cells.length + 1) node.lastChild.remove();
      while (node.children.length < cells.length + 1) node.append(element("td", { class: "numeric" }));
      cells.forEach((text, at) => setText(node.children[at + 1], text));
    },
  };
}
