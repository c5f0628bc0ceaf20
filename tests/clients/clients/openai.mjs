import OpenAI from "openai";
import * as tool from "./tool.mjs";

const connect = base => new OpenAI({ baseURL: base + "/v1", apiKey: "made-up", maxRetries: 0 });
const chat = prompt => ({
  model: "judged-model",
  messages: [{ role: "user", content: prompt }],
  tools: [{ type: "function", function: { name: tool.name, description: tool.description, parameters: tool.parameters } }],
});
// `store` is left out, as most callers do: to the gateway such a request has a state.
const response = prompt => ({
  model: "judged-model",
  input: prompt,
  tools: [{ type: "function", name: tool.name, description: tool.description, parameters: tool.parameters, strict: false }],
});

function ofResponse(response) {
  const reply = { text: response.output_text ?? "", calls: [], ended: response.status === "completed" };
  for (const item of response.output) {
    if (item.type === "function_call") reply.calls.push({ name: item.name, args: item.arguments });
    else if (!response.output_text) for (const part of item.content ?? []) reply.text += part.text ?? "";
  }
  return reply;
}

export default [
  {
    package: "openai", name: "chat, raw stream",
    async ask(base, prompt) {
      const reply = { text: "", calls: [], ended: false };
      for await (const chunk of await connect(base).chat.completions.create({ ...chat(prompt), stream: true })) {
        const choice = chunk.choices[0];
        reply.text += choice?.delta.content ?? "";
        for (const call of choice?.delta.tool_calls ?? []) {
          const at = reply.calls[call.index] ??= { name: "", args: "" };
          at.name ||= call.function?.name ?? "";
          at.args += call.function?.arguments ?? "";
        }
        reply.ended ||= ["stop", "tool_calls"].includes(choice?.finish_reason);
      }
      return reply;
    },
  },
  {
    package: "openai", name: "chat, stream helper",
    async ask(base, prompt) {
      const { message, finish_reason } = (await connect(base).chat.completions.stream(chat(prompt)).finalChatCompletion()).choices[0];
      return {
        text: message.content ?? "",
        calls: (message.tool_calls ?? []).map(c => ({ name: c.function.name, args: c.function.arguments })),
        ended: ["stop", "tool_calls"].includes(finish_reason),
      };
    },
  },
  {
    package: "openai", name: "completions, raw stream", noTools: true,
    async ask(base, prompt) {
      const reply = { text: "", calls: [], ended: false };
      for await (const chunk of await connect(base).completions.create({ model: "judged-model", prompt, stream: true })) {
        reply.text += chunk.choices[0]?.text ?? "";
        reply.ended ||= chunk.choices[0]?.finish_reason === "stop";
      }
      return reply;
    },
  },
  {
    // The text that was shown and the response at the end have to be the same answer.
    package: "openai", name: "responses, raw stream",
    async ask(base, prompt) {
      let text = "", args = "", final;
      for await (const event of await connect(base).responses.create({ ...response(prompt), stream: true })) {
        if (event.type === "response.output_text.delta") text += event.delta;
        if (event.type === "response.function_call_arguments.delta") args += event.delta;
        if (event.type === "response.completed") final = ofResponse(event.response);
      }
      if (!final) return { text, calls: [], ended: false };
      return { ...final, ended: final.ended && text === final.text && args === final.calls.map(c => c.args).join("") };
    },
  },
  {
    package: "openai", name: "responses, stream helper",
    ask: async (base, prompt) => ofResponse(await connect(base).responses.stream(response(prompt)).finalResponse()),
  },
];
