import { byId, element, setAttribute, setClass, setPill, setText, sync } from "./dom.js";
import { seconds, words } from "./format.js";

const pillKinds = { closed: "good", open: "bad", half_open: "wait", isolated: "hand" };

/** act(cluster, circuit, action) is called when somebody wants a circuit moved. */
export function renderClusters(clusters, act) {
  sync(byId("cluster-list"), clusters, (c) => c.id, (c) => create(c, act), update);
}

export function notClosed(clusters) {
  return clusters.filter((c) => c.guarded).flatMap((c) => [c.circuits.cluster, c.circuits.streaming]).filter((s) => s.state !== "closed").length;
}

function create(cluster, act) {
  const title = element("h3", { textContent: cluster.id });
  title.id = `cluster-${encodeURIComponent(cluster.id)}`;
  const article = element("article", { class: "panel cluster" },
    element("header", {}, title, element("span", { class: "quiet fallback" })),
    element("ul", { "aria-label": `Circuits of ${cluster.id}` },
      ...["cluster", "streaming"].map((circuit) => createCircuit(cluster.id, circuit, act))),
    element("ul", { class: "destinations", "aria-label": `Destinations of ${cluster.id}` }));
  article.setAttribute("aria-labelledby", title.id);
  return article;
}

function createCircuit(id, circuit, act) {
  const toggle = element("button", { type: "button", class: "toggle" });
  const reset = element("button", { type: "button", class: "reset", textContent: "Reset", hidden: true });
  reset.setAttribute("aria-label", `Reset the ${circuit} circuit of ${id}`);
  const row = element("li", { class: "circuit" },
    element("span", { class: "name", textContent: circuit }),
    element("span", { class: "pill" }), element("span", { class: "quiet detail" }),
    element("span", { class: "buttons" }, reset, toggle));
  row.dataset.circuit = circuit;
  toggle.addEventListener("click", () => act(id, circuit, toggle.dataset.action));
  reset.addEventListener("click", () => act(id, circuit, "reset"));
  return row;
}

function update(article, cluster) {
  setText(article.querySelector(".fallback"), !cluster.guarded ? "no chat route leads here" : cluster.fallback.length ? `falls back to ${cluster.fallback.join(", ")}` : "no fallback");
  for (const row of article.querySelectorAll(".circuit")) updateCircuit(row, cluster, cluster.circuits[row.dataset.circuit]);
  sync(article.querySelector(".destinations"), cluster.destinations, (d) => d.id, createDestination, updateDestination);
}

function updateCircuit(row, cluster, state) {
  const inUse = cluster.guarded && state.enabled;
  const [, pill, detail] = row.children;
  setPill(pill, inUse ? words(state.state) : "off", inUse ? pillKinds[state.state] : "");
  setText(detail, inUse ? describe(state) : "");

  const toggle = row.querySelector(".toggle");
  const action = state.state === "closed" ? "isolate" : "close";
  const label = action === "isolate" ? "Isolate" : "Close";
  toggle.dataset.action = action;
  toggle.hidden = !inUse;
  setText(toggle, label);
  setAttribute(toggle, "aria-label", `${label} the ${row.dataset.circuit} circuit of ${cluster.id}`);

  const reset = row.querySelector(".reset");
  const hide = !inUse || state.state !== "closed" || (state.failuresInARow === 0 && state.breaks === 0);
  if (hide && document.activeElement === reset) toggle.focus();
  reset.hidden = hide;
}

function describe(state) {
  switch (state.state) {
    case "open": return state.halfOpenInMs > 0 ? `half-open in ${seconds(state.halfOpenInMs)}${breaks(state)}` : "the next request probes";
    case "half_open": return state.probes === 0 ? "the next request probes" : state.probes === 1 ? "one probe is out" : `${state.probes} probes are out`;
    case "isolated": return "until closed by hand";
    default:
      if (state.hintedMs > 0) return "open at another replica: probing first";
      if (state.onProbation) return "on probation: the next failure opens it";
      return state.failuresInARow > 0 ? `${state.failuresInARow}/${state.failureThreshold} failures` : "";
  }
}

const breaks = (state) => (state.breaks > 1 ? `, break ${state.breaks}` : "");

function createDestination(destination) {
  return element("li", {},
    element("span", { textContent: destination.id }), element("span", { class: "address" }), element("span", { class: "health" }));
}

function updateDestination(row, d) {
  const [, address, health] = row.children;
  setText(address, d.address);
  setAttribute(address, "title", d.address);
  const checks = [["active", d.active], ["passive", d.passive]].filter(([, s]) => s !== "unknown").map(([name, s]) => `${s} (${name})`);
  const text = checks.length > 0 ? checks.join(", ") : "health unknown";
  const calls = d.requests > 0 ? `, ${d.requests} ${d.requests === 1 ? "call" : "calls"}` : "";
  setText(health, (d.available ? text : `not used: ${text}`) + calls);
  setClass(health, !d.available || d.active === "unhealthy" || d.passive === "unhealthy" ? "health bad" : checks.length > 0 ? "health good" : "health");
}
