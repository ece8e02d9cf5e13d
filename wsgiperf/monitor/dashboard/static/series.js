// From an answer to what each chart draws, for a time range. No document here.
//
// A model: `start` (epoch), `step` (seconds), `series` of { name, kind, values }, `format`, and `note`, which
// says what is shown where that isn't plainly the range asked for.

import { bytes, number, percent, rate, seconds } from "./format.js";

const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const DAYS = 604800;
const HOUR = 3600;
const SHORT = 300; // seconds that are kept one by one
const MEDIUM = 900;
export const COLOURS = 8; // for lines that are of one kind, such as workers

/** The last values up to `span`, of those that are over. */
function cut(timeline, span, generated, names) {
  const length = Math.max(0, ...names.map((name) => timeline[name].length));
  const over = Math.min(length, Math.max(0, Math.floor((generated - timeline.start) / timeline.step)));
  const from = Math.max(0, over - Math.ceil(span / timeline.step));
  return {
    start: timeline.start + from * timeline.step,
    step: timeline.step,
    take: (name) => timeline[name].slice(from, over),
    from,
    over,
  };
}

function hours(data) {
  const last = Math.floor(data.generated / HOUR) * HOUR;
  const start = last - DAYS + HOUR;
  const requests = Array(DAYS / HOUR).fill(0);
  const errors = [...requests];
  for (const hour of data.traffic.hours) {
    const at = Math.round((hour.start - start) / HOUR);
    if (at >= 0 && at < requests.length) {
      requests[at] += hour.requests;
      errors[at] += hour.errors;
    }
  }
  return { start, step: HOUR, requests, errors };
}

const succeeded = (requests, errors, per) => [
  { name: "Succeeded", kind: "c2xx", values: requests.map((all, at) => Math.max(0, all - errors[at]) / per) },
  { name: "Failed", kind: "c5xx", values: errors.map((some) => some / per) },
];

export function requests(data, span) {
  if (span > MEDIUM) {
    const { start, step, requests: all, errors } = hours(data);
    return { start, step, series: succeeded(all, errors, 1), format: number, note: "per hour" };
  }
  if (span > SHORT) {
    const part = cut(data.timeline.latency, span, data.generated, ["requests", "errors"]);
    const { start, step } = part;
    const series = succeeded(part.take("requests"), part.take("errors"), step);
    return { start, step, series, format: rate, note: "each the mean of 10 s; by status class up to 5 min" };
  }
  const { start, step, take } = cut(data.timeline.seconds, span, data.generated, CLASSES);
  const series = CLASSES.map((name) => ({ name, kind: `c${name}`, values: take(name) }));
  // Informational answers are rare: no entry without any.
  if (!series[0].values.some(Boolean)) series.shift();
  return { start, step, series, format: rate, note: "" };
}

export function latency(data, span) {
  const { start, step, take } = cut(data.timeline.latency, span, data.generated, ["p50", "p95", "p99"]);
  const series = ["p50", "p95", "p99"].map((name) => ({ name, kind: name, values: take(name) }));
  return { start, step, series, format: seconds, note: kept(span, MEDIUM, "of 10 s each") };
}

export function cache(data, span) {
  const { start, step, take } = cut(data.timeline.seconds, span, data.generated, ["hits", "misses"]);
  const series = [
    { name: "Hits", kind: "hits", values: take("hits") },
    { name: "Misses", kind: "misses", values: take("misses") },
  ];
  return { start, step, series, format: rate, note: kept(span, SHORT, "") };
}

export function cpu(data, span) {
  const system = data.timeline.system;
  const { start, step, from, over } = cut(system, span, data.generated, ["cpu"]);
  const series = workers(system, "cpu", from, over);
  series.push({ name: "System", kind: "system", values: system.cpu.slice(from, over) });
  return { start, step, series, format: percent, note: kept(span, MEDIUM, "workers: of one core; system: of all") };
}

export function memory(data, span) {
  const system = data.timeline.system;
  const { start, step, from, over } = cut(system, span, data.generated, ["cpu"]);
  return { start, step, series: workers(system, "memory_bytes", from, over), format: bytes, binary: true, note: kept(span, MEDIUM, "") };
}

function workers(system, name, from, over) {
  const length = system.cpu.length;
  return [...system.workers].sort((one, other) => one.pid - other.pid).map((worker, at) => {
    // One that is younger than the history may bring fewer values: they are the last ones.
    const values = [...Array(Math.max(0, length - worker[name].length)).fill(null), ...worker[name]];
    return { name: String(worker.pid), kind: workerKind(at), values: values.slice(from, over) };
  });
}

export const workerKind = (at) => `w${at % COLOURS}${at >= COLOURS ? " again" : ""}`;

const kept = (span, most, note) => [span > most ? `kept for ${most / 60} min` : "", note].filter(Boolean).join("; ");

/** Means of five seconds over the last five minutes, for the small lines in the tiles. */
export function sparks(data) {
  const names = [...CLASSES, "hits", "misses", "bytes_saved"];
  const { take } = cut(data.timeline.seconds, SHORT, data.generated, names);
  const sum = Object.fromEntries(names.map((name) => [name, grouped(take(name), 5)]));
  const all = sum["2xx"].map((_, at) => CLASSES.reduce((total, name) => total + sum[name][at], 0));
  const share = (some, of) => (of ? (100 * some) / of : null);
  const p95 = cut(data.timeline.latency, SHORT, data.generated, ["p95"]);
  return {
    requests: all.map((total) => total / 5),
    errors: sum["5xx"].map((some, at) => share(some, all[at])),
    p95: p95.take("p95"),
    hits: sum.hits.map((some, at) => share(some, some + sum.misses[at])),
    saved: sum.bytes_saved,
  };
}

function grouped(values, size) {
  const sums = [];
  for (let end = values.length; end >= size; end -= size) {
    sums.unshift(values.slice(end - size, end).reduce((total, value) => total + value, 0));
  }
  return sums;
}
