import { byId, element, setText } from "./dom.js";
import { dateTime } from "./format.js";
import { problem, request } from "./feed.js";

let shownVersion = null;

export function wireConfiguration() {
  byId("configuration-details").addEventListener("toggle", () => showActive().catch(() => {}));
  byId("reload-check").addEventListener("click", () => reload(true));
  byId("reload").addEventListener("click", () => reload(false));
}

export function renderConfiguration(state) {
  setText(byId("configuration-version"), String(state.version));
  setText(byId("configuration-loaded"), dateTime(state.loadedAt));
  const last = state.lastReload;
  setText(byId("configuration-reload"), last ? `${last.success ? "Accepted" : "Rejected"} ${dateTime(last.at)}: ${last.summary}` : "at the start; this process does not reload");
  if (shownVersion !== null && shownVersion !== state.version) showActive().catch(() => {});
}

async function showActive() {
  if (!byId("configuration-details").open) return;
  const response = await request("api/config");
  const target = byId("configuration-active");
  if (!response.ok) {
    target.textContent = await problem(response);
    return;
  }
  const { state, active } = await response.json();
  shownVersion = state.version;
  target.replaceChildren(...lines(active, ""));
}

/** JSON as people write it; names and hidden values stand out. */
function* lines(value, indent) {
  if (Array.isArray(value)) {
    if (value.length === 0 || value.every((v) => typeof v !== "object")) {
      yield JSON.stringify(value).replaceAll(",", ", ");
      return;
    }
    yield "[\n";
    for (const [i, item] of value.entries()) {
      yield `${indent}  `;
      yield* lines(item, `${indent}  `);
      yield i < value.length - 1 ? ",\n" : "\n";
    }
    yield `${indent}]`;
  } else if (value !== null && typeof value === "object") {
    const entries = Object.entries(value);
    yield "{\n";
    for (const [i, [name, item]] of entries.entries()) {
      yield `${indent}  `;
      yield element("span", { class: "name", textContent: JSON.stringify(name) });
      yield ": ";
      yield* lines(item, `${indent}  `);
      yield i < entries.length - 1 ? ",\n" : "\n";
    }
    yield `${indent}}`;
  } else if (typeof value === "string" && value.endsWith("(hidden)")) {
    yield element("span", { class: "secret", textContent: value });
  } else {
    yield JSON.stringify(value);
  }
}

async function reload(dryRun) {
  const answer = byId("reload-answer");
  const findings = byId("reload-findings");
  answer.textContent = dryRun ? "checking…" : "reloading…";
  findings.hidden = true;
  try {
    const response = await request(`api/reload?dryRun=${dryRun}`, { method: "POST", headers: { "x-gateway-management": "1" } });
    const outcome = await response.json();
    answer.textContent = outcome.summary ?? outcome.error?.message;
    findings.replaceChildren(...(outcome.findings ?? []).map((f) => element("li", { textContent: f })));
    findings.hidden = !outcome.findings?.length;
  } catch {
    answer.textContent = "The gateway did not answer.";
  }
}
