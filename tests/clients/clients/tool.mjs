// The one tool that every client offers. Nothing runs it: the judge wants the call.
export const name = "search";
export const description = "Searches.";
export const parameters = {
  type: "object",
  properties: { query: { type: "string" }, limit: { type: "integer" } },
  required: ["query", "limit"],
};
