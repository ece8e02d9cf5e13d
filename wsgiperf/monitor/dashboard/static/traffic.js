// The heat map: a table of the last seven days by hour, in the reader's own time zone.

import { element, find, setAttribute, setText, watchScrolling } from "./dom.js";
import { compact, count, date, zone } from "./format.js";

const LEVELS = 5;
const DAYS = 7;

export function mountTraffic() {
  const region = find("[data-traffic]");
  setText(find("[data-zone]"), `in ${zone()} time, with the share of errors from 1 % up`);
  const body = element("tbody");
  const rows = Array.from({ length: DAYS }, () => {
    const head = element("th", { scope: "row" });
    const cells = Array.from({ length: 24 }, () => element("td"));
    body.append(element("tr", {}, head, ...cells));
    return { head, cells };
  });
  const heads = Array.from({ length: 24 }, (_, hour) => element("th", { scope: "col" }, String(hour).padStart(2, "0")));
  region.append(element("table", { class: "heat", "aria-labelledby": "traffic-title" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Day"), ...heads)), body));
  watchScrolling(region);
  return ({ traffic, generated }) => {
    const sums = byHour(traffic.hours);
    const most = Math.max(0, ...[...sums.values()].map(({ requests }) => requests));
    rows.forEach(({ head, cells }, at) => {
      const day = new Date(generated * 1000);
      day.setDate(day.getDate() - at);
      setText(head, date(day.getTime() / 1000));
      cells.forEach((cell, hour) => {
        const future = at === 0 && hour > day.getHours();
        fill(cell, sums.get(`${day.toDateString()} ${hour}`), most, future);
      });
    });
  };
}

// The hour that is there twice when clocks go back is one cell.
function byHour(hours) {
  const sums = new Map();
  for (const { start, requests, errors } of hours) {
    const at = new Date(start * 1000);
    const key = `${at.toDateString()} ${at.getHours()}`;
    const sum = sums.get(key) ?? { requests: 0, errors: 0 };
    sums.set(key, { requests: sum.requests + requests, errors: sum.errors + errors });
  }
  return sums;
}

function fill(cell, sum, most, future) {
  if (!cell.firstChild) cell.append(element("span"), element("small"));
  const requests = sum?.requests ?? 0;
  const share = requests ? (100 * sum.errors) / requests : 0;
  // By the square root: a quiet hour is to differ from none beside a busy day.
  const level = requests ? Math.max(1, Math.ceil(Math.sqrt(requests / most) * LEVELS)) : 0;
  setAttribute(cell, "class", future ? "future" : `level${level}`);
  setText(cell.firstChild, future ? "" : compact(requests));
  setText(cell.lastChild, share >= 1 ? ` ${Math.round(share)}%` : "");
  setAttribute(cell, "title", future ? "yet to come" : `${count(requests)} requests, ${count(sum?.errors ?? 0)} errors`);
}
