// What the requests rely on: databases, the cache, compression, services that are checked, and the journal.

import { figures, find } from "./dom.js";
import { NONE, bytes, count, duration, figure, moment, number, percent, rate, seconds } from "./format.js";
import { quantity, regionOf, severityCell, words } from "./requests.js";
import { severityLabel } from "./status.js";
import { DataTable } from "./table.js";

export function mountDatabase() {
  const totals = figures(find("[data-database]"), [
    { name: "Queries", read: ({ database }) => (database.queries ? count(database.queries) : [NONE, "no query was seen yet"]) },
    { name: "Per second", read: ({ database }) => (database.per_second === null ? [NONE, "no query in the last minute"] : rate(database.per_second)) },
    { name: "Per request", read: ({ database }) => (database.per_request === null ? [NONE, "no requests yet"] : number(database.per_request)) },
    { name: "Time in all", read: ({ database }) => (database.queries ? seconds(database.seconds) : [NONE, "no query was seen yet"]) },
    { name: "Slow", read: ({ database }) => count(database.slow) },
    { name: "Requests with N+1", read: ({ database }) => count(database.n_plus_one) },
  ]);
  const aliases = new DataTable(regionOf("aliases"), [
    words("Database", (row) => row.alias, { heading: true }),
    quantity("Queries", (row) => row.queries, count),
    quantity("Mean", (row) => (row.queries ? row.seconds / row.queries : null), seconds),
    quantity("Time in all", (row) => row.seconds, seconds),
    quantity("Slow", (row) => row.slow, count),
    quantity("Errors", (row) => row.errors, count),
  ], { key: (row) => row.alias, empty: "No queries yet.", sort: "Time in all" });
  const pools = new DataTable(regionOf("pools"), [
    words("Worker", (row) => `pid ${row.pid}`, { heading: true }),
    words("Database", (row) => row.alias),
    quantity("Checked out", (row) => row.checked_out, count),
    quantity("Size", (row) => row.size, count),
    quantity("Overflow", (row) => row.overflow, count),
  ], { key: (row) => `${row.pid} ${row.alias}`, empty: "No pool tells its state.", sort: "Checked out" });
  const queries = new DataTable(regionOf("queries"), [
    { name: "At", text: (row) => moment(row.at) },
    { name: "Took", numeric: true, text: (row) => seconds(row.seconds) },
    { name: "Statement", kind: "statement", heading: true, text: (row) => row.statement },
    { name: "Database", text: (row) => row.alias },
    { name: "Route", kind: "route", text: (row) => row.route || NONE },
    { name: "Request ID", kind: "id", text: (row) => row.request_id ?? NONE, missing: (row) => (row.request_id ? null : "the request had none") },
  ], { key: (row) => `${row.at} ${row.request_id} ${row.statement}`, empty: "No query was slow." });
  return ({ database }) => {
    totals({ database });
    aliases.update(database.aliases);
    pools.update(database.pools);
    queries.update(database.slow_queries);
  };
}

export function mountCache() {
  const cache = new DataTable(regionOf("cache"), [
    words("Content type", (row) => row.content_type, { heading: true }),
    quantity("Hit rate", (row) => row.hit_rate, percent, { missing: (row) => (row.hit_rate === null ? "no lookups yet" : null) }),
    quantity("Hits", (row) => row.hits, count),
    quantity("Stale", (row) => row.stale, count),
    quantity("Collapsed", (row) => row.collapsed, count),
    quantity("Misses", (row) => row.misses, count),
  ], { key: (row) => row.content_type, empty: "No cache lookups yet.", sort: "Hits" });
  const share = (row) => (row.bytes_before ? (100 * row.bytes_after) / row.bytes_before : null);
  const each = (row) => (row.responses ? row.seconds / row.responses : null);
  const compression = new DataTable(regionOf("compression"), [
    words("Coding", (row) => row.coding, { heading: true }),
    quantity("Responses", (row) => row.responses, count),
    quantity("Before", (row) => row.bytes_before, bytes),
    quantity("After", (row) => row.bytes_after, bytes),
    quantity("Left", share, percent),
    quantity("Time each", each, seconds),
  ], { key: (row) => row.coding, empty: "Nothing compressed yet.", sort: "Responses" });
  return (data) => {
    cache.update(data.content_types);
    compression.update(data.compression.codings);
  };
}

const STATES = { ok: ["OK", "ok"], failing: ["Failing", "critical"], hung: ["Hung", "critical"], unknown: ["Unknown", "unknown"] };
const RANKS = ["ok", "unknown", "failing", "hung"];

export function mountHealth() {
  const latency = (name, read) => quantity(name, read, seconds, { missing: (row) => (read(row) === null ? "no answer yet" : null) });
  const table = new DataTable(regionOf("health"), [
    words("Service", (row) => (row.region ? `${row.name} (${row.region})` : row.name), { heading: true }),
    { name: "State", numeric: true, value: (row) => RANKS.indexOf(row.status), kind: "left", render: (cell, row) => severityCell(cell, state(row), STATES[row.status]?.[1] ?? "unknown") },
    words("Kind", (row) => row.kind),
    latency("Latency", (row) => row.latency),
    latency("p95", (row) => row.p95),
    quantity("Uptime", (row) => row.uptime_percent, percent, { missing: (row) => (row.uptime_percent === null ? "not checked yet" : null) }),
    quantity("Checked", (row) => row.age_seconds, (age) => (age === null ? NONE : `${duration(age)} ago`), { missing: (row) => (row.age_seconds === null ? "not checked yet" : null) }),
    { name: "Error", kind: "message", text: (row) => row.error ?? "" },
  ], { key: (row) => `${row.name} ${row.region}`, empty: "No services are checked.", sort: "State" });
  return ({ health }) => table.update(health.services);
}

function state({ status, since }) {
  const [text] = STATES[status] ?? [status];
  return since ? `${text} since ${moment(since)}` : text;
}

export function mountJournal() {
  const table = new DataTable(regionOf("journal"), [
    { name: "At", text: (row) => moment(row.at) },
    { name: "Event", render: (cell, row) => severityCell(cell, row.event === "cleared" ? "Cleared" : "Fired", row.event === "cleared" ? "ok" : row.severity) },
    { name: "Severity", text: (row) => severityLabel(row.severity) },
    { name: "Message", kind: "message", heading: true, text: (row) => row.message },
    { name: "About", text: (row) => row.subject ?? "all" },
    { name: "Value", numeric: true, text: (row) => figure(row.metric, row.value) },
    { name: "Threshold", numeric: true, text: (row) => figure(row.metric, row.threshold) },
  ], { key: (row) => `${row.id} ${row.event}`, empty: "No alert has fired." });
  return ({ alert_journal: journal }) => table.update(journal);
}
