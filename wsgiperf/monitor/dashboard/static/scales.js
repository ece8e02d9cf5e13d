// Round values for axes.

/** Ticks from 0 to at least `most`, about four: steps of 1, 2 or 5, or powers of two for bytes. */
export function ticks(most, binary) {
  const rough = Math.max(most, Number.MIN_VALUE) / 4;
  let step = 0;
  if (binary) {
    step = 2 ** Math.ceil(Math.log2(rough));
  } else {
    const power = 10 ** Math.floor(Math.log10(rough));
    step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  }
  const count = Math.max(1, Math.ceil(most / step - 0.001));
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 10800, 21600, 43200];

/** Times between the two, at most `most` of them, on round hours and minutes; days begin at local midnight. */
export function timeTicks(start, end, most) {
  const step = STEPS.find((seconds) => (end - start) / seconds <= most);
  if (step) {
    const first = Math.ceil(start / step) * step;
    return { step, times: Array.from({ length: Math.max(0, Math.floor((end - first) / step) + 1) }, (_, at) => first + at * step) };
  }
  const times = [];
  const every = Math.ceil((end - start) / 86400 / most);
  const midnight = new Date(start * 1000);
  midnight.setHours(24, 0, 0, 0);
  while (midnight.getTime() / 1000 <= end) {
    times.push(midnight.getTime() / 1000);
    midnight.setDate(midnight.getDate() + every);
  }
  return { step: 86400, times };
}
