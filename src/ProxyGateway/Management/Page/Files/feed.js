// The stream of events. Not EventSource, which cannot send the key.

const keyName = "proxygateway-management-key";
const longestWait = 15_000;

export const key = {
  get: () => sessionStorage.getItem(keyName),
  set: (value) => sessionStorage.setItem(keyName, value),
  forget: () => sessionStorage.removeItem(keyName),
};

export function request(path, options = {}) {
  const headers = { ...options.headers };
  const value = key.get();
  if (value) headers.Authorization = `Bearer ${value}`;
  return fetch(path, { ...options, headers, cache: "no-store" });
}

/** The error of an answer that is none, in the gateway's words where it has some. */
export async function problem(response) {
  try {
    const body = await response.json();
    return body.error?.message ?? body.summary ?? `Status ${response.status}`;
  } catch {
    return `Status ${response.status}`;
  }
}

/**
 * Listens until the page goes away, and connects again whenever the stream ends.
 * handlers: status(document), recovery(record), circuit(record), connected(), lost(why, waitMs), refused(response) → Promise
 */
export async function listen(handlers) {
  let wait = 500;
  for (;;) {
    let why = "the stream ended";
    try {
      const response = await request("api/events");
      if (response.status === 401 || response.status === 403) {
        await handlers.refused(response);
        continue;
      }
      if (response.ok) {
        wait = 500;
        await handlers.connected();
        await read(response.body, handlers);
      } else {
        why = await problem(response);
      }
    } catch {
      why = "no connection";
    }
    handlers.lost(why, wait);
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 2, longestWait);
  }
}

async function read(body, handlers) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const silence = timer(10_000);
    const { done, value } = await Promise.race([reader.read(), silence.ended]);
    silence.stop();
    if (done) {
      reader.cancel().catch(() => {});
      return;
    }
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      dispatch(text.slice(0, end), handlers);
      text = text.slice(end + 2);
    }
  }
}

// There is a snapshot each second: ten silent ones are a dead connection, whatever the network says.
function timer(ms) {
  let id;
  const ended = new Promise((resolve) => { id = setTimeout(() => resolve({ done: true }), ms); });
  return { ended, stop: () => clearTimeout(id) };
}

function dispatch(block, handlers) {
  let name = "";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (data && handlers[name]) handlers[name](JSON.parse(data));
}
