/**
 * The web page in a real browser, with an agent whose every word is scripted (and hostile): what a person types and
 * clicks arrives at the agent, and what the agent says is seen without a reload. CHROMIUM names the browser.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RemoteConfigStatuses } from "../../src/gen/opamp/v1/opamp_pb.js";
import { CAPABILITIES, firstMessage, UID, webSocketAgent, type Said, type WebSocketAgent } from "../examples/server/scripted-agent.js";
import { findBrowser, startBrowser, type Browser, type BrowserPage } from "../support/browser.js";
import { startTestServer, type TestServer } from "../support/opamp-server.js";

const EVIL = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;

const chromium = findBrowser();

describe.skipIf(chromium === null)("the web page", () => {
  let browser: Browser;
  let server: TestServer;
  let page: BrowserPage;
  let agent: WebSocketAgent;
  beforeAll(async () => {
    browser = await startBrowser(chromium ?? "");
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    server = await startTestServer({ pagePort: 0 });
    page = await browser.newPage();
    agent = await webSocketAgent(server);
  });
  afterEach(async () => {
    await server.close();
  });

  const attribute = (key: string, value: string) => ({ key, value: { value: { case: "stringValue" as const, value } } });
  const evilFirst = (changes: Said = {}): Said =>
    firstMessage({
      agentDescription: { identifyingAttributes: [attribute("service.name", `otelcol ${EVIL}`)], nonIdentifyingAttributes: [attribute(`evil ${EVIL}`, EVIL)] },
      health: { healthy: true, status: EVIL, componentHealthMap: { [EVIL]: { healthy: false, lastError: EVIL } } },
      effectiveConfig: { configMap: { configMap: { [EVIL]: { body: new TextEncoder().encode(`a: ${EVIL}`) } } } },
      ...changes,
    });
  const says = (lastRemoteConfigHash: Uint8Array, status: RemoteConfigStatuses, errorMessage = ""): Said => ({ remoteConfigStatus: { lastRemoteConfigHash, status, errorMessage } });

  async function openAgent(): Promise<void> {
    await page.open(`${server.pageUrl ?? ""}#/agent/${UID}`);
    await page.waitFor("document.querySelector('#up') !== null");
  }

  it("what is typed and saved reaches the agent, and its statuses are seen without a reload", async () => {
    await agent.ask(evilFirst());
    await openAgent();
    await page.evaluate("window.isSamePage = true");
    expect(await page.text("#up")).toBe("Up: true");

    const typed = "receivers:\n  hostmetrics:\n    collection_interval: 10s\n";
    await page.fill("#config-body", typed);
    await page.click("#save");
    const { remoteConfig } = await agent.hear();
    expect(new TextDecoder().decode(remoteConfig?.config?.configMap[""]?.body)).toBe(typed);
    await page.waitFor("document.querySelector('#config-state').textContent === 'SENT'");

    const hash = remoteConfig?.configHash ?? new Uint8Array();
    await agent.ask(says(hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLYING));
    await page.waitFor("document.querySelector('#config-state').textContent === 'APPLYING'");
    const effective = "receivers:\n  hostmetrics:\n    collection_interval: 10s\n    initial_delay: 1s\n";
    await agent.ask({
      ...says(hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLIED),
      effectiveConfig: { configMap: { configMap: { "": { body: new TextEncoder().encode(effective) } } } },
    });
    await page.waitFor("document.querySelector('#config-state').textContent === 'APPLIED'");
    await page.waitFor("document.querySelector('#effective-config').textContent.includes('initial_delay')");
    await page.waitFor("document.querySelector('[data-path=\"receivers.hostmetrics.collection_interval\"]')?.dataset.state === 'same'");
    expect(await page.evaluate("document.querySelector('#config-hash').dataset.hash")).toBe(Buffer.from(hash).toString("hex"));

    await page.fill("#config-body", "receivers:\n  nosuch:\n");
    await page.click("#save");
    const second = (await agent.hear()).remoteConfig?.configHash ?? new Uint8Array();
    await agent.ask(says(second, RemoteConfigStatuses.RemoteConfigStatuses_FAILED, `unknown type: "nosuch" ${EVIL}`));
    await page.waitFor("document.querySelector('#config-state').textContent === 'FAILED'");
    expect(await page.text("#config-error")).toBe(`unknown type: "nosuch" ${EVIL}`);
    expect(await page.evaluate("window.isSamePage")).toBe(true);
    expect(await page.evaluate("window.hacked ?? null")).toBeNull();
    expect(page.errors).toEqual([]);
  });

  it("whatever an agent says stays a text", async () => {
    await agent.ask(evilFirst());
    await openAgent();
    await page.waitFor("document.querySelector('#messages details') !== null");
    await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))");
    await page.waitFor("document.querySelector('#messages pre') !== null");
    expect(await page.text("h1")).toContain(EVIL);
    expect(await page.text("#attributes")).toContain(`evil ${EVIL}${EVIL}`);
    expect(await page.evaluate("document.querySelectorAll('main img, main script').length")).toBe(0);
    expect(await page.evaluate("window.hacked ?? null")).toBeNull();
  });

  it("the list follows agents as they come, go and are looked for", async () => {
    await page.open(server.pageUrl ?? "");
    await page.waitFor("document.querySelector('#no-agents').textContent === 'No agent yet.'");
    await agent.ask(firstMessage());
    await page.waitFor("document.querySelector('.agent-row .dot.healthy') !== null");
    await agent.ask({ health: { healthy: false, lastError: "sick" } });
    await page.waitFor("document.querySelector('.agent-row .dot.unhealthy') !== null");

    await page.fill("#filter", "host.name=box unhealthy");
    await page.waitFor("document.querySelectorAll('.agent-row').length === 1");
    await page.fill("#filter", "host.name=other");
    await page.waitFor("document.querySelectorAll('.agent-row').length === 0");
    await page.fill("#filter", UID.slice(0, 8));
    await page.click(".agent-row");
    await page.waitFor("document.querySelector('#why')?.textContent === 'sick'");
    expect(await page.text("#up")).toBe("Up: false");

    agent.socket.close(1000);
    await page.waitFor("document.querySelector('#why').textContent === 'gone: its connection closed (code 1000)'");
    await page.waitFor("document.querySelector('#restart').disabled");
  });

  it("the buttons reach the agent, and an agent that takes no configuration is left alone", async () => {
    await agent.ask(firstMessage());
    await openAgent();
    await page.click("#restart");
    expect((await agent.hear()).command).toBeDefined();
    await page.click("#full-state");
    expect((await agent.hear()).flags).toBe(1n);

    await agent.ask({ capabilities: CAPABILITIES & ~2n });
    await page.waitFor("document.querySelector('#save').disabled && document.querySelector('#config-body').disabled");
    expect(await page.text(".editor .quiet")).toContain("AcceptsRemoteConfig is not among its capabilities");
  });

  it("what a person is typing survives whatever arrives meanwhile", async () => {
    await agent.ask(firstMessage());
    await openAgent();
    await page.fill("#config-body", "half: writ");
    await server.fleet.saveConfig(UID, [{ name: "", body: "other: 1\n", contentType: "text/yaml", role: "" }]);
    await page.waitFor("document.querySelector('#config-state').textContent === 'SENT'");
    expect(await page.evaluate("document.querySelector('#config-body').value")).toBe("half: writ");
  });

  it("the page comes back by itself when the server does", async () => {
    await agent.ask(firstMessage());
    await openAgent();
    const { port } = new URL(server.pageUrl ?? "");
    await server.close();
    await page.waitFor("document.querySelector('#live').dataset.is === 'lost'");
    server = await startTestServer({ pagePort: Number(port) });
    await page.waitFor("document.querySelector('#live').dataset.is === 'live'");
    await (await webSocketAgent(server)).ask(firstMessage({ health: { healthy: false, lastError: "after" } }));
    await page.waitFor("document.querySelector('#why')?.textContent === 'after'");
  });
});
