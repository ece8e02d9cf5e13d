// The only ways this page makes and changes elements. Data becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const shape = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const find = (selector) => document.querySelector(selector);

/** Leaves the node alone where nothing changes, so that a selection in it stays. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function icon(name) {
  return shape("svg", { class: "icon", "aria-hidden": "true" }, shape("use", { href: `#icon-${name}` }));
}

export function setIcon(node, name) {
  setAttribute(node.querySelector("use"), "href", `#icon-${name}`);
}

/** Text, or where `reason` says why there is no value a dash with that reason, for those who can't point at it too. */
export function setValue(node, text, reason = null, shown = false) {
  if (!reason) {
    if (node.title) node.removeAttribute("title");
    setText(node, text);
  } else if (node.title !== reason) {
    node.title = reason;
    node.replaceChildren("–", element("span", { class: shown ? "muted" : "hidden" }, ` ${reason}`));
  }
}

/** Whether the reader has text selected in here: changing it would take the selection away. */
export function holdsSelection(node) {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || !selection.rangeCount) return false;
  return node.contains(selection.getRangeAt(0).commonAncestorContainer);
}

/** Make these the parent's children, in this order, moving as few as can be and keeping the focus. */
export function arrange(parent, nodes) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) {
    if (!wanted.has(child)) child.remove();
  }
  let next = parent.firstElementChild;
  for (const node of nodes) {
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
  if (focused && focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

/** A list whose nodes are kept by key from one answer to the next. */
export class KeyedList {
  constructor(parent, keyOf, make) {
    this.parent = parent;
    this.keyOf = keyOf;
    this.make = make; // gives { node, update(item) }
    this.kept = new Map();
  }

  update(items) {
    const kept = new Map();
    for (const item of items) {
      let key = this.keyOf(item);
      while (kept.has(key)) key += "\u0000"; // two alike
      const one = this.kept.get(key) ?? this.make(item);
      one.update(item);
      kept.set(key, one);
    }
    this.kept = kept;
    arrange(this.parent, [...kept.values()].map((one) => one.node));
  }
}

/** A list of figures: name, value, and optionally why there is no value. */
export function figures(parent, definitions) {
  const all = definitions.map(({ name, read }) => {
    const value = element("dd");
    parent.append(element("div", {}, element("dt", {}, name), value));
    return { value, read };
  });
  return (data) => {
    for (const { value, read } of all) {
      const [text, reason] = [].concat(read(data));
      setValue(value, text, reason, true);
    }
  };
}

/** Says something to those who listen to the page. */
export function announce(text) {
  setText(find("[data-announce]"), text);
}

const watched = new ResizeObserver((entries) => {
  for (const { target } of entries) focusable(target.closest(".scroll"));
});

/** A region that scrolls can be reached with the keyboard; one that shows everything is no stop on the way. */
export function watchScrolling(region) {
  region.setAttribute("role", "group");
  watched.observe(region);
  for (const child of region.children) watched.observe(child);
}

function focusable(region) {
  const scrolls = region.scrollWidth > region.clientWidth + 1 || region.scrollHeight > region.clientHeight + 1;
  if (scrolls) region.tabIndex = 0;
  else if (document.activeElement !== region) region.removeAttribute("tabindex");
}
