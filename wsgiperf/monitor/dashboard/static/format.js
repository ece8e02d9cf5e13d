// How figures are written. The page is in English; times are the reader's own.

export const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compactly = new Intl.NumberFormat("en", { notation: "compact" });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const minute = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dated = new Intl.DateTimeFormat("en", {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const day = new Intl.DateTimeFormat("en", { weekday: "short", day: "numeric", month: "short" });
const dayAndHour = new Intl.DateTimeFormat("en", {
  weekday: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});

const unless = (format) => (value) => (value === null || value === undefined ? NONE : format(value));

/** Three significant digits below 100, whole numbers with separators above. */
function digits(value) {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return whole.format(value);
  return value.toFixed(size >= 10 ? 1 : 2);
}

export const count = unless((value) => whole.format(value));
export const compact = unless((value) => compactly.format(value));
export const number = unless(digits);
export const rate = unless((value) => `${digits(value)}/s`);
export const percent = unless((value) => `${value >= 99.95 ? "100" : Number.isInteger(value) ? value : value.toFixed(value >= 10 ? 1 : 2)} %`);

export const seconds = unless((value) => {
  if (value >= 100) return duration(value);
  if (value >= 1) return `${digits(value)} s`;
  if (value >= 0.001) return `${digits(value * 1000)} ms`;
  return value === 0 ? "0 s" : `${digits(value * 1e6)} µs`;
});

const IN_SECONDS = ["response_time", "p95", "database_time", "health"];

/** What an alert is about, in its metric's unit. */
export const figure = (metric, value) => (IN_SECONDS.includes(metric) ? seconds(value) : percent(value));

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export const bytes = unless((value) => {
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < SIZES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${digits(unit ? value : Math.round(value))} ${SIZES[unit]}`;
});

/** The two largest units: "3 d 4 h", "12 min 5 s". */
export function duration(value) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  let rest = Math.max(0, Math.round(value));
  const first = units.findIndex(([, size]) => rest >= size);
  if (first < 0) return "0 s";
  return units.slice(first, first + 2).map(([name, size]) => {
    const many = Math.floor(rest / size);
    rest -= many * size;
    return many ? `${many} ${name}` : "";
  }).filter(Boolean).join(" ");
}

const at = (format) => unless((epoch) => format.format(new Date(epoch * 1000)));

export const time = at(clock);
export const hourAndMinute = at(minute);
export const date = at(day);
export const weekdayAndHour = at(dayAndHour);
const full = at(dated);

/** The time of day, with the date where it isn't today's. */
export const moment = unless((epoch) => {
  const today = new Date().toDateString() === new Date(epoch * 1000).toDateString();
  return today ? time(epoch) : full(epoch);
});

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "local time";
