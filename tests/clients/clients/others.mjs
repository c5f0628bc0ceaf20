import { ChatOpenAI } from "@langchain/openai";
import { GoogleGenAI } from "@google/genai";
import { Ollama } from "ollama";
import { A2AClient } from "@a2a-js/sdk/client";
import * as tool from "./tool.mjs";

const functionTool = { type: "function", function: { name: tool.name, description: tool.description, parameters: tool.parameters } };

const langchain = useResponsesApi => async (base, prompt) => {
  const model = new ChatOpenAI({ model: "judged-model", apiKey: "made-up", maxRetries: 0, useResponsesApi, configuration: { baseURL: base + "/v1" } });
  let whole;
  for await (const chunk of await model.bindTools([functionTool]).stream(prompt)) whole = whole === undefined ? chunk : whole.concat(chunk);
  const metadata = whole?.response_metadata ?? {};
  return {
    text: whole?.text ?? "",
    calls: (whole?.tool_calls ?? []).map(c => ({ name: c.name, args: JSON.stringify(c.args) })),
    ended: useResponsesApi ? metadata.status === "completed" : ["stop", "tool_calls"].includes(metadata.finish_reason),
  };
};

export default [
  { package: "@langchain/openai", name: "chat", ask: langchain(false) },
  { package: "@langchain/openai", name: "responses", ask: langchain(true) },
  {
    package: "@google/genai", name: "stream",
    async ask(base, prompt) {
      const reply = { text: "", calls: [], ended: false };
      const client = new GoogleGenAI({ apiKey: "made-up", httpOptions: { baseUrl: base } });
      const config = { tools: [{ functionDeclarations: [{ name: tool.name, description: tool.description, parametersJsonSchema: tool.parameters }] }] };
      for await (const chunk of await client.models.generateContentStream({ model: "judged-model", contents: prompt, config })) {
        const candidate = chunk.candidates?.[0];
        for (const part of candidate?.content?.parts ?? []) {
          reply.text += part.text ?? "";
          if (part.functionCall) reply.calls.push({ name: part.functionCall.name, args: JSON.stringify(part.functionCall.args) });
        }
        reply.ended ||= candidate?.finishReason === "STOP";
      }
      return reply;
    },
  },
  {
    package: "ollama", name: "stream",
    async ask(base, prompt) {
      const reply = { text: "", calls: [], ended: false };
      const client = new Ollama({ host: base });
      for await (const part of await client.chat({ model: "judged-model", messages: [{ role: "user", content: prompt }], tools: [functionTool], stream: true })) {
        reply.text += part.message.content;
        for (const call of part.message.tool_calls ?? []) reply.calls.push({ name: call.function.name, args: JSON.stringify(call.function.arguments) });
        reply.ended ||= part.done;
      }
      return reply;
    },
  },
  {
    package: "@a2a-js/sdk", name: "stream", noTools: true,
    async ask(base, prompt) {
      const reply = { text: "", calls: [], ended: false };
      const client = new A2AClient({ name: "judged", url: base + "/a2a", protocolVersion: "0.3.0", capabilities: { streaming: true } });
      const message = { kind: "message", messageId: "m1", role: "user", parts: [{ kind: "text", text: prompt }] };
      for await (const event of client.sendMessageStream({ message })) {
        if (event.kind === "artifact-update") reply.text += event.artifact.parts.map(p => p.text ?? "").join("");
        if (event.kind === "status-update" && event.final) reply.ended = event.status.state === "completed";
      }
      return reply;
    },
  },
];
