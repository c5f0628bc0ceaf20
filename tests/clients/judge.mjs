// Sends the same question through real clients in every situation and says what each client's caller got:
// whole (the reference text), exception, or SILENT (anything else without an error). Prints one JSON line per result.
// BASE_URL: the gateway. REFERENCE_URL: an agent that never fails.
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
import { streamText } from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createAnthropic } from "@ai-sdk/anthropic";
import { ChatOpenAI } from "@langchain/openai";

const base = process.env.BASE_URL, reference = process.env.REFERENCE_URL;
const prompt = "tell me something";
const messages = [{ role: "user", content: prompt }];
const key = "made-up";

const situations = {
  "healthy": "demo-good",
  "fault before content": "demo-reset-0",
  "fault after content, equal replay": "demo-reset-12",
  "clean end in mid-answer, equal replay": "demo-clean-12",
  "fault after content, diverging replay": "demo-diverge-12",
  "tool call in flight": "demo-tool-12",
  "everything fails": "dead",
};

async function collect(chunks) {
  let text = "", args = "";
  for await (const c of chunks) {
    const d = c.choices?.[0]?.delta;
    text += d?.content ?? "";
    for (const t of d?.tool_calls ?? []) args += t.function?.arguments ?? "";
  }
  return text + args;
}

async function aiText(model) {
  let text = "", error;
  const result = streamText({ model, prompt, maxRetries: 0, onError: () => {} });
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") text += part.text;
    if (part.type === "tool-input-delta") text += part.delta;
    if (part.type === "error") error = part.error;
    if (part.type === "finish" && (part.finishReason === "error" || part.finishReason === "unknown")) error ??= new Error(`finish ${part.finishReason}`);
  }
  if (error) throw error;
  return text;
}

const clients = {
  "openai, raw stream": ["chat", async (url, model) => collect(await new OpenAI({ baseURL: url + "/v1", apiKey: key, maxRetries: 0 }).chat.completions.create({ model, messages, stream: true }))],
  "openai, stream helper": ["chat", async (url, model) => {
    const done = await new OpenAI({ baseURL: url + "/v1", apiKey: key, maxRetries: 0 }).chat.completions.stream({ model, messages }).finalChatCompletion();
    const m = done.choices[0].message;
    return (m.content ?? "") + (m.tool_calls ?? []).map(t => t.function.arguments).join("");
  }],
  "ai, @ai-sdk/openai": ["chat", (url, model) => aiText(createOpenAI({ baseURL: url + "/v1", apiKey: key }).chat(model))],
  "ai, @ai-sdk/openai-compatible": ["chat", (url, model) => aiText(createOpenAICompatible({ name: "x", baseURL: url + "/v1", apiKey: key })(model))],
  "@langchain/openai": ["chat", async (url, model) => {
    const llm = new ChatOpenAI({ model, apiKey: key, maxRetries: 0, configuration: { baseURL: url + "/v1" } });
    let text = "";
    for await (const c of await llm.stream(prompt)) text += (c.content ?? "") + (c.tool_call_chunks ?? []).map(t => t.args ?? "").join("");
    return text;
  }],
  "@anthropic-ai/sdk, raw stream": ["messages", async (url, model) => {
    let text = "";
    for await (const e of await new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 }).messages.create({ model, max_tokens: 1000, messages, stream: true }))
      if (e.type === "content_block_delta") text += e.delta.text ?? e.delta.partial_json ?? "";
    return text;
  }],
  "@anthropic-ai/sdk, stream helper": ["messages", async (url, model) => {
    const done = await new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 }).messages.stream({ model, max_tokens: 1000, messages }).finalMessage();
    return done.content.map(b => b.text ?? JSON.stringify(b.input)).join("");
  }],
  "ai, @ai-sdk/anthropic": ["messages", (url, model) => aiText(createAnthropic({ baseURL: url + "/v1", apiKey: key })(model))],
};

// What the answer is, by a plain request that owes nothing to a client or the gateway.
async function truth(kind, model) {
  const body = { model, messages, stream: false, ...(kind === "messages" ? { max_tokens: 1000 } : {}) };
  const path = kind === "messages" ? "/v1/messages" : "/v1/chat/completions";
  const answer = await (await fetch(reference + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();
  if (kind === "messages") return answer.content.map(b => b.text ?? JSON.stringify(b.input)).join("");
  const m = answer.choices[0].message;
  return (m.content ?? "") + (m.tool_calls ?? []).map(t => t.function.arguments).join("");
}

const same = (a, b) => { if (a === b) return true; try { return JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b)); } catch { return false; } };

for (const [client, [kind, ask]] of Object.entries(clients)) {
  for (const [situation, model] of Object.entries(situations)) {
    const expected = await truth(kind, model === "demo-tool-12" ? "demo-call" : "demo-good");
    let outcome, detail = "";
    try {
      const text = await Promise.race([ask(base, model), new Promise((_, no) => setTimeout(() => no(new Error("HUNG")), 30000).unref())]);
      outcome = same(text, expected) ? "whole" : "SILENT";
      if (outcome === "SILENT") detail = `got ${JSON.stringify(text)}`;
    } catch (e) {
      outcome = e.message === "HUNG" ? "HUNG" : "exception";
      detail = String(e.message ?? e).slice(0, 120);
    }
    console.log(JSON.stringify({ client, situation, outcome, detail }));
  }
}
process.exit(0);
