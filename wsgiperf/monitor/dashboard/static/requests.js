// The endpoint table with its search, and single requests: the slowest, those that failed, errors by type.

import { announce, element, find, setAttribute, setIcon, icon, setText } from "./dom.js";
import { NONE, count, moment, percent, seconds } from "./format.js";
import { DataTable, bar } from "./table.js";

const NOTABLE = 1; // percent of requests that failed, from where on the figure stands out

export const regionOf = (name) => find(`[data-table="${name}"]`);
export const quantity = (name, read, format, more = {}) => ({
  name, numeric: true, value: (row) => read(row) ?? null, text: (row) => format(read(row)), ...more,
});
export const words = (name, read, more = {}) => ({ name, value: (row) => read(row) ?? "", text: (row) => read(row) ?? NONE, ...more });

export function mountEndpoints() {
  const search = find("[data-search]");
  const total = find("[data-endpoint-count]");
  let all = 0;
  let longest = 0;
  const spent = (row) => row.count * (row.average ?? 0);
  const failed = (row) => (row.count ? (100 * row.errors) / row.count : null);
  const table = new DataTable(regionOf("endpoints"), [
    words("Route", (row) => row.route, { heading: true, kind: "route" }),
    words("Method", (row) => row.method),
    quantity("Requests", (row) => row.count, count),
    quantity("Total time", spent, seconds, {
      render: (cell, row) => bar(cell, seconds(spent(row)), longest ? spent(row) / longest : 0),
    }),
    quantity("Mean", (row) => row.average, seconds),
    quantity("p50", (row) => row.p50, seconds),
    quantity("p95", (row) => row.p95, seconds),
    quantity("p99", (row) => row.p99, seconds),
    quantity("Max", (row) => row.maximum, seconds),
    quantity("Errors", failed, percent, {
      render: (cell, row) => {
        setText(cell, percent(failed(row)));
        setAttribute(cell, "class", failed(row) >= NOTABLE ? "numeric bad" : "numeric");
      },
    }),
    { name: "Statuses", kind: "statuses", text: (row) => statuses(row.statuses) },
  ], { key: (row) => `${row.method} ${row.route}`, empty: "No requests yet.", sort: "Total time" });
  const write = () => setText(total, table.shown === all ? `${all}` : `${table.shown} of ${all}`);
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    table.narrow((row) => `${row.method} ${row.route}`.toLowerCase().includes(wanted));
    write();
    announce(`${table.shown} of ${all} endpoints`);
  });
  return ({ endpoints }) => {
    all = endpoints.length;
    longest = Math.max(0, ...endpoints.map(spent));
    table.update(endpoints);
    write();
  };
}

function statuses(counts) {
  const all = Object.entries(counts).sort(([one], [other]) => one - other);
  return all.map(([status, times]) => `${status === "0" ? "no answer" : status}: ${count(times)}`).join(", ");
}

const identity = { name: "Request ID", kind: "id", text: (row) => row.request_id ?? NONE, missing: (row) => (row.request_id ? null : "the request had none") };
const single = [
  { name: "Route", kind: "route", heading: true, text: (row) => `${row.method} ${row.route}` },
  { name: "Status", numeric: true, text: (row) => String(row.status || NONE), missing: (row) => (row.status ? null : "no answer was begun") },
];
const took = { name: "Took", numeric: true, text: (row) => seconds(row.seconds) };
const when = { name: "At", text: (row) => moment(row.at) };
const keyed = (row) => `${row.at} ${row.request_id} ${row.method} ${row.route}`;

export function mountRequests() {
  const failing = new DataTable(regionOf("failing"), [
    when, ...single, took, { name: "Error", kind: "message", render: errorCell }, identity,
  ], { key: keyed, empty: "No request has failed." });
  const slowest = new DataTable(regionOf("slowest"), [took, ...single, when, identity], { key: keyed, empty: "No requests yet." });
  const errors = new DataTable(regionOf("errors"), [
    words("Type", (row) => row.type, { heading: true, kind: "route" }),
    { ...words("Severity", (row) => row.severity), render: (cell, row) => severityCell(cell, row.severity, row.severity === "critical" ? "critical" : "warning") },
    quantity("Count", (row) => row.count, count),
  ], { key: (row) => `${row.type} ${row.severity}`, empty: "No errors.", sort: "Count" });
  return (data) => {
    failing.update(data.errors.recent);
    slowest.update(data.slowest);
    errors.update(data.errors.by_type);
  };
}

function errorCell(cell, row) {
  if (!cell.firstChild) cell.append(element("strong"), element("span"));
  setText(cell.firstChild, row.type);
  setText(cell.lastChild, row.message ? ` ${row.message}` : "");
}

/** A word with a sign before it: never a colour alone. */
export function severityCell(cell, text, status) {
  if (!cell.firstChild) cell.append(element("span", { class: "state" }, icon(status), element("span")));
  const state = cell.firstChild;
  setAttribute(state, "data-status", status);
  setIcon(state, status);
  setText(state.lastChild, text);
}
