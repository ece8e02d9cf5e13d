// Runs before the first paint, so that a chosen theme doesn't flash the other one.
"use strict";
try {
  const theme = localStorage.getItem("wsgiperf-theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's theme holds then.
}
