// Every text goes through textContent: names and reasons come from configuration and from people.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") node.className = value;
    else if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Writes only what differs, so that a screen reader is not told of what stays. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Makes the children of a node match the items, and keeps those that stay: focus and selection survive an update. */
export function sync(parent, items, keyOf, create, update) {
  const known = new Map([...parent.children].map((c) => [c.dataset.key, c]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = known.get(key);
    if (child) {
      known.delete(key);
    } else {
      child = create(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (child === next) next = child.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  for (const child of known.values()) child.remove();
}

/** A pill: a word from a closed list, and how it is meant. */
export function setPill(node, text, kind) {
  setText(node, text);
  setClass(node, kind ? `pill ${kind}` : "pill");
}
