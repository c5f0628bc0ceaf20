import { byId, setText } from "./dom.js";
import { key, problem, request } from "./feed.js";

const whoName = "proxygateway-who";

const texts = {
  isolate: {
    cluster: ["Isolate", "No request is sent to this cluster until somebody closes the circuit. Its fallback clusters take over; without one, clients get 503."],
    streaming: ["Isolate streaming of", "The cluster is asked non-streaming, and clients' streams are made from its answers, until somebody closes the circuit."],
  },
  close: {
    cluster: ["Close the circuit of", "Requests flow to this cluster again at once."],
    streaming: ["Close the streaming circuit of", "The cluster is asked for streams again at once."],
  },
  reset: {
    cluster: ["Reset the circuit of", "Failures and breaks are forgotten, as after a start."],
    streaming: ["Reset the streaming circuit of", "Failures and breaks are forgotten, as after a start."],
  },
};

let pending = null;

export function wireActions() {
  const dialog = byId("act");
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(dialog);
  });
}

export function askWhy(cluster, circuit, action) {
  pending = { cluster, circuit, action };
  const [title, effect] = texts[action][circuit];
  setText(byId("act-title"), `${title} ${cluster}`);
  setText(byId("act-effect"), effect);
  setText(byId("act-go"), { isolate: "Isolate", close: "Close the circuit", reset: "Reset" }[action]);
  byId("act-error").textContent = "";
  byId("act-why").value = "";
  byId("act-who").value = localStorage.getItem(whoName) ?? "";
  byId("act").showModal();
  byId("act-why").focus();
}

async function send(dialog) {
  const { cluster, circuit, action } = pending;
  const who = byId("act-who").value.trim();
  localStorage.setItem(whoName, who);
  const headers = { "content-type": "application/json", "x-gateway-management": "1" };
  // A header is bytes: the name goes as UTF-8.
  if (who) headers["x-gateway-user"] = String.fromCharCode(...new TextEncoder().encode(who));
  byId("act-go").disabled = true;
  try {
    const response = await request(`api/clusters/${encodeURIComponent(cluster)}/circuit/${action}?circuit=${circuit}`, {
      method: "POST", headers, body: JSON.stringify({ why: byId("act-why").value }),
    });
    if (response.ok) dialog.close();
    else byId("act-error").textContent = await problem(response);
  } catch {
    byId("act-error").textContent = "The gateway did not answer.";
  } finally {
    byId("act-go").disabled = false;
  }
}

/** Asks for the key and keeps it; resolves once there is one to try. */
export async function askKey(response) {
  const text = await problem(response);
  if (response.status === 403) {
    byId("connection").textContent = text;
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    return;
  }
  const dialog = byId("key");
  setText(byId("key-text"), key.get() ? "This key was not accepted." : "This gateway shows its data to holders of the management key.");
  key.forget();
  dialog.showModal();
  const form = dialog.querySelector("form");
  await new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      key.set(byId("key-value").value);
      byId("key-value").value = "";
      dialog.close();
      resolve();
    };
    dialog.oncancel = (event) => event.preventDefault();
  });
}
