// The first line: is all well, since when, of whom are these figures, and how old are they.

import { announce, element, find, icon, KeyedList, setAttribute, setIcon, setText } from "./dom.js";
import { NONE, duration, moment, time } from "./format.js";

const WORDS = { info: "Info", warning: "Warning", critical: "Critical" };

export const severityLabel = (severity) => WORDS[severity] ?? severity;

export function mountStatus() {
  const pill = find(".status");
  const base = find("[data-icon]").getAttribute("href").replace(/icon-\w+\.svg$/, "");
  const list = new KeyedList(find("[data-alert-list]"), ({ id }) => id, alertItem);
  let said = null;
  setText(find("[data-host]"), location.host);
  return (data) => {
    const alerts = data.alerts;
    const status = data.status;
    const since = sinceWhen(data);
    const words = alerts.length ? `${alerts.length} ${alerts.length === 1 ? "alert" : "alerts"}` : "OK";
    pill.dataset.status = status;
    setIcon(pill, status);
    setText(find("[data-status-text]"), words);
    setText(find("[data-status-since]"), since);
    document.title = `${words} · ${location.host} · Monitor`;
    setAttribute(find("[data-icon]"), "href", `${base}icon-${status}.svg`);
    find("[data-active-alerts]").hidden = !alerts.length;
    list.update(alerts);
    vitals(data);
    const now = `${words} ${alerts.map(({ id }) => id).join()}`;
    if (said !== null && said !== now) announce([words, ...alerts.map(({ severity, message }) => `${severityLabel(severity)}: ${message}`)].join(". "));
    said = now;
  };
}

function sinceWhen({ alerts, alert_journal: journal, generated, started }) {
  if (alerts.length) {
    const first = Math.min(...alerts.map(({ since }) => since));
    return `since ${moment(first)} (${duration(generated - first)})`;
  }
  const cleared = journal.find(({ event }) => event === "cleared");
  return cleared ? `since ${moment(cleared.at)}, when the last alert cleared` : `since the start, ${moment(started)}`;
}

function vitals(data) {
  const { shared, reason, workers, slabs } = data.scope;
  setText(find("[data-uptime]"), duration(data.uptime_seconds));
  setText(find("[data-workers]"), `${workers} of ${slabs} slabs`);
  setText(find("[data-scope]"), shared ? "all workers" : `this process only: ${reason ?? "reason unknown"}`);
}

function alertItem() {
  const mark = icon("info");
  const severity = element("strong");
  const message = element("span", { class: "message" });
  const since = element("span", { class: "muted" });
  const node = element("li", {}, mark, element("span", {}, severity, " ", message), since);
  return {
    node,
    update(alert) {
      node.dataset.status = alert.severity;
      setIcon(node, alert.severity);
      setText(severity, severityLabel(alert.severity));
      setText(message, alert.message);
      setText(since, `since ${moment(alert.since)}`);
    },
  };
}

/** How old the figures are, written anew each second. */
export function mountAge(state) {
  const updated = find("[data-updated]");
  const age = find("[data-age]");
  return () => {
    if (!state.data) return;
    setText(updated, time(state.data.generated));
    const old = Math.max(0, (Date.now() - state.received) / 1000);
    const paused = state.paused ? ", paused" : "";
    setText(age, old < 1.5 && !paused ? "just now" : `${duration(old) || NONE} ago${paused}`);
  };
}

/** What is wrong while there are no new figures, and what is still shown. */
export function mountBanner(state, poller) {
  const banner = find("[data-banner]");
  find("[data-retry]").addEventListener("click", () => poller.start());
  return () => {
    const { failure, data } = state;
    banner.hidden = !failure;
    document.documentElement.toggleAttribute("data-stale", Boolean(failure));
    if (!failure) return;
    setText(find("[data-banner-what]"), failure);
    const old = duration((Date.now() - state.received) / 1000);
    setText(find("[data-banner-age]"), data ? `These figures are stale: ${time(data.generated)}, ${old} old.` : "There are no figures yet.");
    const wait = Math.ceil((poller.next - Date.now()) / 1000);
    setText(find("[data-banner-next]"), poller.paused ? "Paused." : wait > 0 ? `Next try in ${wait} s.` : "Trying again.");
  };
}
