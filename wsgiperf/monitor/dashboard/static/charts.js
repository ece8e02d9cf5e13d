// The charts, which share their time range and their cursor.

import { TimeChart } from "./chart.js";
import { find } from "./dom.js";
import * as series from "./series.js";

const CHARTS = [
  { name: "Requests", model: series.requests, stacked: true, least: 1, empty: "No requests in this time." },
  { name: "Response times", model: series.latency, least: 0.001, empty: "No requests in this time." },
  { name: "Cache", model: series.cache, stacked: true, least: 1, empty: "No cache lookups in this time." },
  { name: "CPU", model: series.cpu, least: 10, empty: "Not sampled yet." },
  { name: "Memory", model: series.memory, least: 1 << 20, empty: "Not sampled yet." },
];

export function mountCharts(state) {
  const parent = find("[data-charts]");
  const charts = CHARTS.map(({ model, ...options }) => {
    const chart = new TimeChart({ ...options, moved });
    parent.append(chart.node);
    return { chart, model };
  });

  // The others point at the same time, where they show it.
  function moved(source, index) {
    const at = index === null || !source.model ? null : source.timeAt(index);
    for (const { chart } of charts) {
      if (chart === source || at === null) chart.point(index);
      else if (chart.model) chart.point(nearest(chart, at));
    }
  }

  return (data) => {
    const marks = data.alert_journal.filter(({ event }) => event === "fired");
    for (const { chart, model } of charts) chart.show(model(data, state.range), marks);
  };
}

function nearest(chart, at) {
  const index = Math.round((at - chart.model.start) / chart.model.step);
  return index >= -1 && index <= chart.length ? Math.max(0, Math.min(chart.length - 1, index)) : null;
}
