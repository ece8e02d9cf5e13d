// Puts the page together: figures in, sections out.

import { mountCharts } from "./charts.js";
import { announce, find, setText } from "./dom.js";
import { count } from "./format.js";
import { Poller } from "./poller.js";
import { mountEndpoints, mountRequests } from "./requests.js";
import { mountCache, mountDatabase, mountHealth, mountJournal } from "./services.js";
import { mountAge, mountBanner, mountStatus } from "./status.js";
import { load, save } from "./store.js";
import { mountTiles } from "./tiles.js";
import { mountTraffic } from "./traffic.js";
import { mountWorkers } from "./workers.js";

const base = find("meta[name=wsgiperf-base]").content;
const state = { data: null, received: Date.now(), failure: null, paused: false, range: 300 };

const upper = [mountStatus(), mountTiles(), mountCharts(state), mountWorkers()];
const lower = [
  mountEndpoints(), mountRequests(), mountHealth(), mountJournal(), mountDatabase(), mountCache(), mountTraffic(),
  mountFooter(),
];
// By the origin, for the page's own address may hold a password, with which nothing can be fetched.
const poller = new Poller(new URL(`${base}/json`, location.origin), { answered, failed });
const age = mountAge(state);
const banner = mountBanner(state, poller);

function answered(data) {
  if (state.failure) announce("The figures are current again");
  Object.assign(state, { data, received: Date.now(), failure: null });
  show(upper);
  show(lower);
  age();
  banner();
}

function show(sections) {
  for (const update of sections) update(state.data);
}

function failed(failure) {
  if (failure !== state.failure) announce(failure);
  state.failure = failure;
  banner();
}

function mountFooter() {
  return ({ versions, requests, overflow }) => {
    const { wsgiperf, python, implementation } = versions;
    setText(find("[data-versions]"), `wsgiperf ${wsgiperf ?? ""}, ${implementation} ${python}. Requests to the monitor itself, in none of these figures: ${count(requests.stats_requests)}.`);
    const folded = Object.entries(overflow).filter(([, times]) => times);
    const note = find("[data-overflow]");
    note.hidden = !folded.length;
    setText(note, `Counted under "overflow" because a table was full: ${folded.map(([name, times]) => `${name.replace("_", " ")} ${count(times)}`).join(", ")}.`);
  };
}

function controls() {
  const ranges = [...document.querySelectorAll("input[name=range]")];
  const chosen = load("range", ranges.map(({ value }) => value), "300");
  for (const input of ranges) {
    input.checked = input.value === chosen;
    input.addEventListener("change", () => setRange(input.value));
  }
  state.range = Number(chosen);

  const rate = find("[data-rate]");
  rate.value = load("rate", [...rate.options].map(({ value }) => value), "2");
  poller.rate = Number(rate.value);
  rate.addEventListener("change", () => {
    save("rate", rate.value);
    poller.setRate(Number(rate.value));
  });

  const theme = find("[data-theme-choice]");
  theme.value = load("theme", ["auto", "light", "dark"], "auto");
  theme.addEventListener("change", () => {
    save("theme", theme.value);
    if (theme.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });

  const pause = find("[data-pause]");
  pause.addEventListener("click", () => {
    state.paused = !state.paused;
    poller.pause(state.paused);
    setText(pause, state.paused ? "Resume" : "Pause");
    age();
    banner();
  });
}

function setRange(value) {
  state.range = Number(value);
  save("range", value);
  if (state.data) show(upper);
}

controls();
let first = null;
try {
  first = JSON.parse(find("#data").textContent);
} catch {
  // Asked for at once, below.
}
if (first?.schema === 1) {
  // What is seen first is painted first.
  state.data = first;
  show(upper);
  age();
  requestAnimationFrame(() => setTimeout(() => {
    performance.mark("wsgiperf-shown");
    show(lower);
  }));
  poller.wait();
} else {
  poller.start();
}
setInterval(() => {
  age();
  banner();
}, 1000);
