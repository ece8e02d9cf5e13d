// What the reader chose, kept in this browser where it keeps anything.

export function load(name, allowed, otherwise) {
  try {
    const value = localStorage.getItem(`wsgiperf-${name}`);
    return allowed.includes(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

export function save(name, value) {
  try {
    localStorage.setItem(`wsgiperf-${name}`, value);
  } catch {
    // Forbidden or full: the choice holds for this page.
  }
}
