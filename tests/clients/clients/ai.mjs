import { jsonSchema, streamText, tool as defineTool } from "ai";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import * as tool from "./tool.mjs";

const apiKey = "made-up";
const tools = { [tool.name]: defineTool({ description: tool.description, inputSchema: jsonSchema(tool.parameters) }) };

const asks = connect => async (base, prompt) => {
  const reply = { text: "", calls: [], ended: false };
  let error;
  for await (const part of streamText({ model: connect(base), prompt, tools, maxRetries: 0, onError: () => {} }).fullStream) {
    if (part.type === "text-delta") reply.text += part.text;
    if (part.type === "tool-call") reply.calls.push({ name: part.toolName, args: JSON.stringify(part.input) });
    if (part.type === "error") error ??= part.error;
    if (part.type === "finish" && part.finishReason === "error") error ??= new Error("finished with an error");
    if (part.type === "finish") reply.ended = ["stop", "tool-calls"].includes(part.finishReason);
  }
  if (error) throw error;
  return reply;
};

// The shortest way to use the SDK. Its caller sees text, or an exception, and what the SDK tells `onError`.
const reads = connect => async (base, prompt) => {
  const reply = { text: "", calls: [], ended: true, told: false };
  const onError = () => { reply.told = true; };
  for await (const text of streamText({ model: connect(base), prompt, maxRetries: 0, onError }).textStream) reply.text += text;
  return reply;
};

export default [
  { package: "@ai-sdk/openai", name: "`ai`, responses (its default)", ask: asks(base => createOpenAI({ baseURL: base + "/v1", apiKey })("judged-model")) },
  { package: "@ai-sdk/openai", name: "`ai`, responses, `textStream` only", noTools: true, ask: reads(base => createOpenAI({ baseURL: base + "/v1", apiKey })("judged-model")) },
  { package: "@ai-sdk/openai", name: "`ai`, chat, `textStream` only", noTools: true, ask: reads(base => createOpenAI({ baseURL: base + "/v1", apiKey }).chat("judged-model")) },
  { package: "@ai-sdk/anthropic", name: "`ai`, `textStream` only", noTools: true, ask: reads(base => createAnthropic({ baseURL: base + "/v1", apiKey })("judged-model")) },
  { package: "@ai-sdk/openai", name: "`ai`, chat", ask: asks(base => createOpenAI({ baseURL: base + "/v1", apiKey }).chat("judged-model")) },
  { package: "@ai-sdk/openai-compatible", name: "`ai`", ask: asks(base => createOpenAICompatible({ name: "judged", baseURL: base + "/v1", apiKey })("judged-model")) },
  { package: "@ai-sdk/anthropic", name: "`ai`", ask: asks(base => createAnthropic({ baseURL: base + "/v1", apiKey })("judged-model")) },
];
