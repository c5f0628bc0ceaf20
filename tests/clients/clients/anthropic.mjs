import Anthropic from "@anthropic-ai/sdk";
import * as tool from "./tool.mjs";

const connect = base => new Anthropic({ baseURL: base, apiKey: "made-up", maxRetries: 0 });
const request = prompt => ({
  model: "judged-model",
  max_tokens: 1000,
  messages: [{ role: "user", content: prompt }],
  tools: [{ name: tool.name, description: tool.description, input_schema: tool.parameters }],
});

export default [
  {
    package: "@anthropic-ai/sdk", name: "raw stream",
    async ask(base, prompt) {
      const reply = { text: "", calls: [], ended: false };
      let stopReason;
      for await (const event of await connect(base).messages.create({ ...request(prompt), stream: true })) {
        if (event.type === "content_block_start" && event.content_block.type === "tool_use") reply.calls.push({ name: event.content_block.name, args: "" });
        if (event.type === "content_block_delta") reply.text += event.delta.text ?? "";
        if (event.type === "content_block_delta" && event.delta.type === "input_json_delta") reply.calls.at(-1).args += event.delta.partial_json;
        if (event.type === "message_delta") stopReason = event.delta.stop_reason;
        if (event.type === "message_stop") reply.ended = ["end_turn", "tool_use"].includes(stopReason);
      }
      return reply;
    },
  },
  {
    package: "@anthropic-ai/sdk", name: "stream helper",
    async ask(base, prompt) {
      const { content, stop_reason } = await connect(base).messages.stream(request(prompt)).finalMessage();
      return {
        text: content.map(b => b.text ?? "").join(""),
        calls: content.filter(b => b.type === "tool_use").map(b => ({ name: b.name, args: JSON.stringify(b.input) })),
        ended: ["end_turn", "tool_use"].includes(stop_reason),
      };
    },
  },
];
