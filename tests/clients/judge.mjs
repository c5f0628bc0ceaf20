// Asks through real clients in every situation and says what each client's caller got: whole (the answer to the letter, and its end),
// exception, onError (no text, no exception, but the SDK's callback was told), or SILENT (anything else without an error). Prints one JSON line for each.
// BASE_URL: the gateway. SITUATIONS: names, comma-separated. TEXT: the answer. CALL_ARGS: the arguments of the call. ONLY: a pattern of client names.
import { readFileSync } from "node:fs";
import openai from "./clients/openai.mjs";
import anthropic from "./clients/anthropic.mjs";
import ai from "./clients/ai.mjs";
import others from "./clients/others.mjs";
import * as tool from "./clients/tool.mjs";

const { BASE_URL, SITUATIONS, TEXT, CALL_ARGS } = process.env;
const patience = 30_000;

const version = name => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;

function sameJson(a, b) {
  const sorted = text => JSON.stringify(JSON.parse(text), Object.keys(JSON.parse(text)).sort());
  try { return sorted(a) === sorted(b); } catch { return false; }
}

function isWhole(reply, situation) {
  if (!reply.ended) return false;
  return situation === "tool"
    ? reply.text === "" && reply.calls.length === 1 && reply.calls[0].name === tool.name && sameJson(reply.calls[0].args, CALL_ARGS)
    : reply.calls.length === 0 && reply.text === TEXT;
}

async function judge(client, key, situation) {
  const prompt = `judge:${situation}:${key} tell me something`;
  try {
    const late = new Promise((_, no) => setTimeout(() => no(new Error("HUNG")), patience).unref());
    const reply = await Promise.race([client.ask(BASE_URL, prompt), late]);
    if (reply.told && reply.text === "") return ["onError", ""];
    return !reply.told && isWhole(reply, situation) ? ["whole", ""] : ["SILENT", JSON.stringify(reply)];
  } catch (e) {
    return [e?.message === "HUNG" ? "HUNG" : "exception", String(e?.message ?? e).slice(0, 200)];
  }
}

const only = process.env.ONLY ? new RegExp(process.env.ONLY) : /./;
const clients = [...openai, ...ai, ...anthropic, ...others];

await Promise.all(clients.map(async (client, i) => {
  const name = `${client.package} ${version(client.package)}, ${client.name}`;
  if (!only.test(name)) return;
  for (const situation of SITUATIONS.split(",")) {
    const key = `npm${i}`;
    const [outcome, detail] = client.noTools && situation === "tool" ? ["no tools", ""] : await judge(client, key, situation);
    console.log(JSON.stringify({ order: i, client: name, key, situation, outcome, detail }));
  }
}));
process.exit(0);
