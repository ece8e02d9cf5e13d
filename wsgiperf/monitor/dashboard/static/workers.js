// One card a worker, in the colour its lines have in the charts.

import { KeyedList, element, find, setAttribute, setText, setValue } from "./dom.js";
import { bytes, count, duration, number, percent } from "./format.js";
import { workerKind } from "./series.js";

export function mountWorkers() {
  const list = new KeyedList(find("[data-worker-strip]"), ({ pid }) => pid, card);
  return ({ workers, timeline, generated }) => {
    const lines = timeline.system.workers.map(({ pid }) => pid).sort((one, other) => one - other);
    const items = [...workers].sort((one, other) => one.slab - other.slab);
    list.update(items.map((worker) => ({ ...worker, generated, line: lines.indexOf(worker.pid) })));
  };
}

function card() {
  const swatch = element("span", { "aria-hidden": "true" });
  const name = element("strong");
  const age = element("span", { class: "muted" });
  const list = element("dl");
  const values = ["In flight", "CPU", "Memory", "Requests"].map((label) => {
    const value = element("dd");
    list.append(element("div", {}, element("dt", {}, label), value));
    return value;
  });
  const [busy, cpu, memory, requests] = values;
  const node = element("li", { class: "worker" }, element("p", {}, swatch, name, " ", age), list);
  return {
    node,
    update(worker) {
      setAttribute(swatch, "class", worker.line < 0 ? "swatch" : `swatch ${workerKind(worker.line)}`);
      setText(name, `pid ${worker.pid}`);
      setText(age, `slab ${worker.slab}, up ${duration(worker.generated - worker.started)}`);
      setText(busy, worker.threads ? `${number(worker.in_flight)} of ${number(worker.threads)}` : number(worker.in_flight));
      setValue(cpu, percent(worker.cpu_percent), worker.cpu_percent === null ? "not sampled yet" : null);
      setValue(memory, bytes(worker.memory_bytes), worker.memory_bytes === null ? "not sampled yet" : null);
      setText(requests, count(worker.requests));
    },
  };
}
