// Rewrites the gateway's configuration every second (each fifth time with something invalid) under 100 requests/s and 50 long
// streams, and counts what was lost. Usage: node reload-under-load.mjs PATH-TO-PROXYGATEWAY [SECONDS=120]
import http from "node:http";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { spawn } from "node:child_process";

const [binary, seconds = "120"] = process.argv.slice(2);
const total = Number(seconds) * 1000;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gateway-reload-"));
const file = path.join(folder, "appsettings.json");
const chunk = (d, f = null) => "data: " + JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: d, finish_reason: f }] }) + "\n\n";

const agent = http.createServer((request, response) => {
  let body = "";
  request.on("data", d => body += d).on("end", () => {
    if (!JSON.parse(body).stream) {
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify({ id: "a", object: "chat.completion", created: 1, model: "m", choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }] }));
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const until = Date.now() + total * 0.9;
    const timer = setInterval(() => {
      if (Date.now() < until) return response.write(chunk({ content: "x" }));
      clearInterval(timer);
      response.end(chunk({}, "stop") + "data: [DONE]\n\n");
    }, 200);
    response.on("close", () => clearInterval(timer));
  });
}).listen(0, "127.0.0.1");
await new Promise(r => agent.once("listening", r));
const free = () => new Promise(r => { const s = http.createServer().listen(0, "127.0.0.1", () => { const p = s.address().port; s.close(() => r(p)); }); });
const [port, management] = [await free(), await free()];

const config = n => JSON.stringify({
  Gateway: { Listen: `http://127.0.0.1:${port}`, ManagementListen: `http://127.0.0.1:${management}`, Drain: { Delay: "00:00:00", Timeout: "00:00:02" } },
  ReverseProxy: {
    Routes: { chat: { ClusterId: "agent", Match: { Path: "/v1/chat/completions", Methods: ["POST"] }, StreamingFallback: { Format: "openai-chat" } } },
    Clusters: {
      agent: { Destinations: { a: { Address: `http://127.0.0.1:${agent.address().port}` } }, Retry: { Budget: (n % 9 + 1) / 10 }, CircuitBreaker: { FailureThreshold: 5 + n % 7 } },
      ...(n % 2 ? { extra: { Destinations: { a: { Address: "http://127.0.0.1:9" } } } } : {}),
    },
  },
});
fs.writeFileSync(file, config(0));
const gateway = spawn(binary, ["--config", file], { stdio: ["ignore", "pipe", "pipe"] });
let log = "";
gateway.stdout.on("data", d => log += d);
gateway.stderr.on("data", d => log += d);
const get = (p, where) => new Promise((yes, no) => http.get({ port: p, host: "127.0.0.1", path: where }, r => { let b = ""; r.on("data", d => b += d).on("end", () => yes([r.statusCode, b])); }).on("error", no));
for (let i = 0; i < 200; i++) { try { if ((await get(management, "/health/ready"))[0] === 200) break; } catch { } await new Promise(r => setTimeout(r, 100)); }

const keep = new http.Agent({ keepAlive: true, maxSockets: 64 });
const counts = { requests: 0, dropped: 0, serverErrors: 0, streams: 0, streamsBroken: 0 };
const post = stream => new Promise(done => {
  const request = http.request({ port, host: "127.0.0.1", path: "/v1/chat/completions", method: "POST", agent: stream ? undefined : keep, headers: { "content-type": "application/json" } }, response => {
    let text = "";
    response.on("data", d => text = (text + d).slice(-4000)).on("close", () => done([response.statusCode, text, response.complete]));
  });
  request.on("error", () => done([0, "", false]));
  request.end(JSON.stringify({ model: "m", stream, messages: [] }));
});
const streams = Array.from({ length: 50 }, () => post(true).then(([status, text, complete]) => {
  counts.streams++;
  if (status !== 200 || !complete || !text.endsWith("data: [DONE]\n\n")) counts.streamsBroken++;
}));
const inFlight = new Set();
const start = Date.now();
let writes = 0, invalid = 0;
const writer = setInterval(() => {
  writes++;
  if (writes % 5 === 0) { invalid++; fs.writeFileSync(file, ["{ \"half", "", config(writes).replace("\"ClusterId\":\"agent\"", "\"ClusterId\":\"nobody\""), "[]"][invalid % 4]); }
  else fs.writeFileSync(file, config(writes));
}, 1000);
let sent = 0;
while (Date.now() - start < total) {
  for (const due = Math.floor((Date.now() - start) / 10); sent < due; sent++) {
    const p = post(false).then(([status]) => { counts.requests++; if (status === 0) counts.dropped++; else if (status >= 500) counts.serverErrors++; inFlight.delete(p); });
    inFlight.add(p);
  }
  await new Promise(r => setTimeout(r, 5));
}
clearInterval(writer);
await Promise.all([...inFlight, ...streams]);
const scrape = (await get(management, "/metrics"))[1].split("\n").filter(l => l.startsWith("proxygateway_config"));
gateway.kill("SIGTERM");
const code = await new Promise(r => gateway.once("exit", r));
console.log(JSON.stringify({ seconds: Number(seconds), writes, invalid, ...counts, reloaded: log.split("configuration reloaded").length - 1, rejected: log.split("configuration rejected").length - 1, exitCode: code }));
console.log(scrape.join("\n"));
agent.close(); agent.closeAllConnections();
process.exit(counts.dropped || counts.serverErrors || counts.streamsBroken ? 1 : 0);
