// The behaviour of both example sites: three small improvements, none of which a page depends on.
"use strict";

// The button that switches between light and dark. (The choice is applied by the inline script of the
// page, before the first paint.)
function themeButton(button) {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  button.hidden = false;
  button.addEventListener("click", () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // No storage: the choice holds for this page.
    }
  });
}

// The live figures: the server says when it has said all, and the page then hangs up.
function liveFigures(line) {
  const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const source = new EventSource(line.dataset.events);
  source.addEventListener("figures", (event) => {
    const { posts, comments, photos } = JSON.parse(event.data);
    line.dataset.state = "live";
    line.textContent = [count(posts, "post"), count(comments, "comment"), count(photos, "photo")].join(", ");
  });
  source.addEventListener("end", () => source.close());
  addEventListener("pagehide", () => source.close());
}

// What the browser measured for this very page: its size, the bytes that travelled, the server's share.
function pageFigures(line) {
  const [page] = performance.getEntriesByType("navigation");
  if (!page || !page.decodedBodySize) return;
  const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  const parts = [`This page: ${kilobytes(page.decodedBodySize)}`];
  if (page.encodedBodySize < page.decodedBodySize) {
    parts[0] += ` sent as ${kilobytes(page.encodedBodySize)}`;
  }
  for (const { name, duration } of page.serverTiming || []) {
    parts.push(`${name} ${duration.toFixed(1)} ms`);
  }
  line.textContent = parts.join(" · ");
}

addEventListener("load", () => {
  for (const button of document.querySelectorAll("[data-theme-button]")) themeButton(button);
  for (const line of document.querySelectorAll("[data-events]")) liveFigures(line);
  for (const line of document.querySelectorAll("[data-page-figures]")) pageFigures(line);
});
