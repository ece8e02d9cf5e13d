// Asks for the figures again and again: not while hidden or paused, and less often while there is no answer.

const LONGEST_WAIT = 60; // seconds between two tries, however many failed
const TIME_LIMIT = 10; // seconds for an answer, or three refreshes where those are longer

/** Why there are no new figures, in a sentence. */
export class Failed extends Error {}

export class Poller {
  constructor(address, { answered, failed }) {
    this.address = address;
    this.answered = answered;
    this.failed = failed;
    this.rate = 2;
    this.paused = false;
    this.failures = 0;
    this.timer = 0;
    this.asking = null;
    this.next = 0; // when it asks again, in milliseconds since the epoch
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stop() : this.start()));
    addEventListener("online", () => this.start());
  }

  /** Ask now; the reader wants to see something. */
  start() {
    if (this.paused || document.hidden) return;
    this.stop();
    this.ask();
  }

  stop() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.asking = null;
  }

  setRate(seconds) {
    this.rate = seconds;
    this.stop();
    this.wait();
  }

  pause(paused) {
    this.paused = paused;
    if (paused) this.stop();
    else this.start();
  }

  wait() {
    if (this.paused || document.hidden) return;
    const seconds = this.failures ? Math.min(LONGEST_WAIT, this.rate * 2 ** this.failures) : this.rate;
    this.next = Date.now() + seconds * 1000;
    this.timer = setTimeout(() => this.ask(), seconds * 1000);
  }

  async ask() {
    const asking = new AbortController();
    this.asking = asking;
    const limit = setTimeout(() => asking.abort(), Math.max(TIME_LIMIT, 3 * this.rate) * 1000);
    let data = null;
    let failure = null;
    try {
      data = await fetched(this.address, asking.signal);
    } catch (error) {
      failure = reason(error);
    } finally {
      clearTimeout(limit);
    }
    if (this.asking !== asking) return; // stopped meanwhile, or asked anew
    this.asking = null;
    this.failures = failure ? this.failures + 1 : 0;
    this.wait();
    if (failure) this.failed(failure);
    else this.answered(data);
  }
}

async function fetched(address, signal) {
  const answer = await fetch(address, { signal, cache: "no-store", headers: { Accept: "application/json" } });
  if ([401, 403, 404].includes(answer.status)) {
    throw new Failed(`The server answers ${answer.status}: the token may have changed, or the monitor moved. Reload the page to sign in again.`);
  }
  if (!answer.ok) throw new Failed(`The server answers ${answer.status}.`);
  let data = null;
  try {
    data = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failed("The server answers, but not with figures.");
  }
  if (data?.schema !== 1) throw new Failed("The server's figures have another form: reload the page.");
  return data;
}

function reason(error) {
  if (error instanceof Failed) return error.message;
  return error.name === "AbortError" ? "The server takes too long to answer." : "The server can't be reached.";
}
