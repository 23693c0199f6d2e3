/** Talks with the JSON API; a refusal becomes an Error with the server's words. */
export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `status ${response.status}`);
  return answer;
}

/** Runs `load` now and, if asked again meanwhile, once more afterwards: never two at a time, the newest always seen. */
export function coalesced(load) {
  let running = null;
  let isDue = false;
  return function run() {
    if (running !== null) {
      isDue = true;
      return running;
    }
    running = load().catch(() => undefined).finally(() => {
      running = null;
      if (isDue) {
        isDue = false;
        void run();
      }
    });
    return running;
  };
}
