// Subscribes to the events of agentapi as its web page does, with the EventSource of the npm package, and prints after every change
// what a page would show, as one JSON line. EVENTS_URL: where. Ends when its standard input does.
import { EventSource } from "eventsource";

const messages = {}, errors = [];
let opened = 0, failed = 0, status = "unknown";
const show = () => console.log(JSON.stringify({ opened, failed, status, messages: Object.values(messages), errors }));

const source = new EventSource(process.env.EVENTS_URL);
source.onopen = () => { opened++; show(); };
source.onerror = () => { failed++; show(); };
source.addEventListener("message_update", e => { const m = JSON.parse(e.data); messages[m.id] = m.message; show(); });
source.addEventListener("status_change", e => { status = JSON.parse(e.data).status; show(); });
source.addEventListener("agent_error", e => { errors.push(JSON.parse(e.data).message); show(); });
process.stdin.on("end", () => { source.close(); process.exit(0); }).resume();
