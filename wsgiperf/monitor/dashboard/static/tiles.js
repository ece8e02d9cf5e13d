// The figures of the last minute, each with a small line of the last five, and the totals since the start.

import { element, figures, find, icon, setIcon, setText, shape } from "./dom.js";
import { NONE, bytes, compact, count, number, percent, seconds } from "./format.js";
import { sparks } from "./series.js";

const SPARK = { width: 120, height: 28 };

const TILES = [
  {
    name: "Requests/s",
    read: ({ recent }) => [number(recent.per_second), `${count(recent.requests)} in the last minute`],
    spark: "requests",
  },
  {
    name: "Errors",
    read: ({ recent }) => (recent.error_rate === null
      ? [NONE, "no requests in the last minute"]
      : [percent(recent.error_rate), `${count(recent.errors)} of ${count(recent.requests)}`]),
    spark: "errors",
    metrics: ["error_rate"],
  },
  {
    name: "p95",
    read: ({ recent }) => (recent.p95 === null
      ? [NONE, "no requests in the last minute"]
      : [seconds(recent.p95), `p50 ${seconds(recent.p50)}, p99 ${seconds(recent.p99)}`]),
    spark: "p95",
    metrics: ["p95", "response_time"],
  },
  {
    name: "Cache hits",
    read: ({ recent }) => (recent.hit_rate === null
      ? [NONE, "no cache lookups in the last minute"]
      : [percent(recent.hit_rate), `${count(recent.hits)} of ${count(recent.hits + recent.misses)} lookups`]),
    spark: "hits",
    metrics: ["hit_rate"],
  },
  {
    name: "Bytes saved",
    read: ({ recent, compression }) => (compression.responses
      ? [bytes(recent.bytes_saved), `last minute; ${bytes(compression.bytes_saved)} in all`]
      : [NONE, "nothing compressed yet"]),
    spark: "saved",
  },
];

export function mountTiles() {
  const parent = find("[data-tiles]");
  const tiles = TILES.map(({ name, read, spark, metrics = [] }) => {
    const value = element("p", { class: "figure" });
    const note = element("p", { class: "note" });
    const line = shape("path");
    const drawing = shape("svg", {
      class: "spark", "aria-hidden": "true", preserveAspectRatio: "none", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`,
    }, line);
    const sign = icon("warning");
    const node = element("article", { class: "tile panel" }, element("h3", {}, name, " ", sign), value, note, drawing);
    parent.append(node);
    return { node, sign, value, note, line, read, spark, metrics };
  });
  const totals = figures(find("[data-totals]"), TOTALS);
  return (data) => {
    const lines = sparks(data);
    for (const { node, sign, value, note, line, read, spark, metrics } of tiles) {
      mark(node, sign, data.alerts.find(({ metric }) => metrics.includes(metric)));
      const [text, about] = read(data);
      setText(value, text);
      setText(note, about);
      line.setAttribute("d", path(lines[spark]));
    }
    totals(data);
  };
}

function mark(node, sign, alert) {
  sign.classList.toggle("gone", !alert);
  if (alert) {
    node.dataset.status = alert.severity;
    setIcon(sign, alert.severity);
  } else {
    delete node.dataset.status;
  }
}

const TOTALS = [
  { name: "Requests since the start", read: ({ requests }) => count(requests.total) },
  { name: "Errors", read: ({ requests }) => `${count(requests.errors)}${requests.error_rate === null ? "" : ` (${percent(requests.error_rate)})`}` },
  { name: "Mean", read: ({ performance: { response_times: all } }) => (all.average === null ? [NONE, "no requests yet"] : seconds(all.average)) },
  { name: "p99.9", read: ({ performance: { response_times: all } }) => (all.p999 === null ? [NONE, "no requests yet"] : seconds(all.p999)) },
  { name: "In flight", read: ({ requests }) => count(requests.in_flight) },
  { name: "Saturation", read: ({ saturation }) => (saturation === null ? [NONE, "how many threads the workers have is unknown"] : percent(saturation)) },
  { name: "Queued", read: ({ queue }) => (queue.count ? `${seconds(queue.average)}, at most ${seconds(queue.maximum)}` : [NONE, "no request told when it was sent"]) },
  { name: "CPU", read: ({ system }) => (system.cpu_percent === null ? [NONE, "not sampled yet"] : percent(system.cpu_percent)) },
  {
    name: "Memory",
    read: ({ system }) => (system.memory_percent === null
      ? [NONE, "not sampled yet"]
      : `${percent(system.memory_percent)} of ${bytes(system.memory_total_bytes)}${system.memory_limited_by === "cgroup" ? " (cgroup's limit)" : ""}`),
  },
  { name: "Respawns", read: ({ respawns }) => compact(respawns) },
];

function path(values) {
  const most = Math.max(...values.filter((value) => value !== null), Number.MIN_VALUE);
  const x = (at) => ((at / Math.max(1, values.length - 1)) * SPARK.width).toFixed(1);
  const y = (value) => (SPARK.height - 2 - (value / most) * (SPARK.height - 4)).toFixed(1);
  let drawing = false;
  return values.map((value, at) => {
    const move = drawing ? "L" : "M";
    drawing = value !== null;
    return drawing ? `${move}${x(at)} ${y(value)}${move === "M" ? "h0" : ""}` : "";
  }).join("");
}
