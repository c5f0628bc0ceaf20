import { byId, element, setClass, setPill, setText, sync } from "./dom.js";
import { bytes, clock, count, duration, seconds, words } from "./format.js";

const shownAtFirst = 12;
const lateContent = 5000; // ms without content that deserve a look
const outcomeKinds = { recovered: "good", terminated: "bad", failed: "bad", rejected: "hand", relayed: "", client_gone: "" };
const stateKinds = { closed: "good", open: "bad", half_open: "wait", isolated: "hand" };
const isExpanded = { recoveries: false, changes: false };

export function wireTables(redraw) {
  for (const name of Object.keys(isExpanded)) {
    byId(`${name}-more`).addEventListener("click", () => {
      isExpanded[name] = !isExpanded[name];
      redraw();
    });
  }
}

export function renderStreams(status) {
  setText(byId("streams-count"), status.active > status.exchanges.length ? `${count(status.active)}, the oldest ${status.exchanges.length} shown` : count(status.active));
  byId("streams-empty").hidden = status.exchanges.length > 0;
  const repeats = new Map(); // Ids are the clients' own where they send some, and may repeat.
  const keyed = status.exchanges.map((e) => {
    const n = (repeats.get(e.id) ?? 0) + 1;
    repeats.set(e.id, n);
    return { ...e, key: `${e.id} ${n}` };
  });
  sync(byId("stream-rows"), keyed, (e) => e.key, (e) => element("tr", {},
    rowHeader(e.route), cell(), cell("number"), cell("number"), cell("number"), cell("wide number"), cell("wide"), cell("wider id", e.id)), updateStream);
}

function updateStream(row, e) {
  const [, cluster, age, events, last, attempts, state] = row.children;
  setText(cluster, e.cluster);
  setText(age, seconds(e.ageMs));
  setText(events, count(e.contentEvents));
  const silent = e.sinceContentMs ?? e.ageMs;
  setText(last, e.sinceContentMs == null ? "none yet" : silent < 1500 ? "now" : `${seconds(silent)} ago`);
  setClass(last, silent > lateContent ? "number late" : "number");
  setText(attempts, String(e.attempts));
  setText(state, e.recovering ? "recovering" : e.sinceContentMs == null ? "waiting" : "streaming");
}

export function renderRecoveries(recoveries, fresh) {
  const shown = section("recoveries", recoveries);
  sync(byId("recovery-rows"), shown, (r) => r.number, (r) => element("tr", { class: fresh ? "fresh" : "" },
    cell(), element("td", {}, element("span")), cell("fault", fault(r)), cell("", r.cluster), cell("", r.answeredBy || "–"), cell("wide", r.route),
    cell("wide number", String(r.attempts)), cell("wide number"), cell("wide number", bytes(r.deliveredBytes)), cell("wider id", r.id)), (row, r) => {
    setText(row.children[0], clock(r.time));
    setPill(row.children[1].firstElementChild, words(r.outcome) + (r.times > 1 ? ` × ${count(r.times)}` : ""), outcomeKinds[r.outcome]);
    setText(row.children[7], duration(r.durationMs));
  });
}

const fault = (r) => (r.fault === "circuit_open" ? "circuit open"
  : `${words(r.fault)}${r.status ? ` ${r.status}` : ""}, ${{ connect: "connecting", headers: "before headers", first_content: "before content", content: "in mid-stream", replay: "in the replay" }[r.phase] ?? words(r.phase)}`);

export function renderChanges(changes, fresh) {
  const shown = section("changes", changes);
  sync(byId("change-rows"), shown, (c) => c.number, (c) => element("tr", { class: fresh ? "fresh" : "" },
    cell("", clock(c.time)), cell("", c.cluster), cell("", c.circuit), element("td", {}, change(c)), cell("text", reason(c)), cell("wide text", c.by ?? "–")), () => {});
}

function change(c) {
  const pill = element("span");
  setPill(pill, c.from === c.to ? `stays ${words(c.to)}` : words(c.to), stateKinds[c.to]);
  return pill;
}

function reason(c) {
  const open = c.breakMs > 0 ? `, for ${duration(c.breakMs)}` : "";
  return c.why ? `${words(c.reason)}: ${c.why}` : words(c.reason) + open;
}

/** The newest few, or all once somebody asked. */
function section(name, items) {
  setText(byId(`${name}-count`), items.length > 0 ? `last ${items.length}` : "");
  byId(`${name}-empty`).hidden = items.length > 0;
  const more = byId(`${name}-more`);
  more.hidden = items.length <= shownAtFirst;
  more.setAttribute("aria-expanded", String(isExpanded[name]));
  setText(more, isExpanded[name] ? "Show fewer" : `Show all ${items.length}`);
  return isExpanded[name] ? items : items.slice(0, shownAtFirst);
}

const rowHeader = (text) => element("th", { scope: "row", textContent: text });
const cell = (name = "", text = "") => element("td", { class: name, textContent: text });
