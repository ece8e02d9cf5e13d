// Tables whose rows stay the same elements from one answer to the next, whatever they are sorted by.

import { KeyedList, element, holdsSelection, setAttribute, setText, setValue, watchScrolling } from "./dom.js";

/**
 * A column: `name`, `text(row)` what it shows, and optionally `value(row)` what it sorts by (which makes it
 * sortable), `numeric`, `heading` (the row's own header), `kind` (a class), `missing(row)` why there is no
 * value, `render(cell, row)` in the place of `text`.
 */
export class DataTable {
  constructor(region, columns, { key, empty, sort = null, descending = true, labelledby = null }) {
    this.columns = columns;
    this.sort = sort;
    this.descending = descending;
    this.rows = [];
    this.filter = () => true;
    this.emptyText = empty;
    this.region = region;
    this.body = element("tbody");
    this.heads = columns.map((column) => this.head(column));
    this.table = element("table", { "aria-labelledby": labelledby ?? region.getAttribute("aria-labelledby") },
      element("thead", {}, element("tr", {}, ...this.heads)), this.body);
    this.empty = element("p", { class: "empty" });
    this.held = element("p", { class: "held", hidden: "" }, "Held still while text in it is selected");
    this.list = new KeyedList(this.body, key, () => this.row());
    region.append(this.table, this.empty);
    region.after(this.held);
    watchScrolling(region);
    this.mark();
  }

  head(column) {
    const cell = element("th", { scope: "col", class: column.kind === "left" || !column.numeric ? null : "numeric" });
    if (!column.value) {
      cell.append(column.name);
      return cell;
    }
    const button = element("button", { type: "button" }, column.name);
    button.addEventListener("click", () => this.sortBy(column));
    cell.append(button);
    return cell;
  }

  sortBy(column) {
    // Figures are asked for to see the largest, words to find one.
    this.descending = this.sort === column.name ? !this.descending : Boolean(column.numeric);
    this.sort = column.name;
    this.mark();
    this.show(true);
  }

  mark() {
    this.columns.forEach((column, at) => {
      if (this.sort === column.name) this.heads[at].setAttribute("aria-sort", this.descending ? "descending" : "ascending");
      else this.heads[at].removeAttribute("aria-sort");
    });
  }

  row() {
    const cells = this.columns.map((column) => element(column.heading ? "th" : "td", {
      class: [column.numeric ? "numeric" : "", column.kind ?? ""].join(" ").trim() || null,
      scope: column.heading ? "row" : null,
    }));
    const node = element("tr", {}, ...cells);
    const update = (row) => this.columns.forEach((column, at) => {
      if (column.render) column.render(cells[at], row, node);
      else setValue(cells[at], column.text(row), column.missing?.(row));
    });
    return { node, update };
  }

  update(rows) {
    this.rows = rows;
    this.show(false);
  }

  narrow(filter) {
    this.filter = filter;
    this.show(true);
  }

  /** How many rows are shown. */
  get shown() {
    return this.list.kept.size;
  }

  show(asked) {
    const held = !asked && holdsSelection(this.body);
    this.held.hidden = !held;
    if (held) return;
    const rows = this.rows.filter(this.filter);
    const column = this.columns.find(({ name }) => name === this.sort);
    this.list.update(column ? rows.sort(order(column.value, this.descending)) : rows);
    this.table.hidden = !rows.length;
    this.empty.hidden = rows.length > 0;
    setText(this.empty, this.rows.length ? "Nothing matches." : this.emptyText);
  }
}

/** What has no value stands last, whichever way. */
function order(value, descending) {
  const sign = descending ? -1 : 1;
  return (one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  };
}

/** A bar behind a figure: its share of the largest. */
export function bar(cell, text, share) {
  if (!cell.firstChild) cell.append(element("span", { class: "bar" }), element("span"));
  setAttribute(cell, "class", "numeric barred");
  cell.firstChild.style.setProperty("--share", share.toFixed(3));
  setText(cell.lastChild, text);
}
