/**
 * What a person does with the Management page's walkthrough, in a real browser, with our server, our supervisor and the
 * real Collector: types the page's YAML, clicks "Save and Send to Agent", and reads the outcome without a reload.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findBrowser, startBrowser, type Browser, type BrowserPage } from "../support/browser.js";
import { startTestServer, type TestServer } from "../support/opamp-server.js";
import { PAGE_YAML, QUIET_YAML, supervisorYaml } from "./support/configs.js";
import { Host } from "./support/host.js";
import { missing, needs } from "./support/needs.js";

const chromium = findBrowser();

describe.skipIf(missing || chromium === null)("the walkthrough in the page", () => {
  let browser: Browser;
  let page: BrowserPage;
  let dataDirectory: string;
  let server: TestServer;
  let host: Host;

  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), "opampsupervisor-interop-"));
    browser = await startBrowser(chromium ?? "");
    server = await startTestServer({ dataDirectory, pagePort: 0 });
    host = await Host.create({ path: needs.collector });
    await host.write("quiet.yaml", QUIET_YAML);
    await host.write("supervisor.yaml", supervisorYaml({ endpoint: server.webSocketUrl, tls: ["insecure_skip_verify: true"] }));
    page = await browser.newPage();
    await page.open(server.pageUrl ?? "");
    await page.evaluate("window.isSamePage = true");
    host.start();
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(host.diagnosis());
  });
  afterAll(async () => {
    await browser.close();
    await host.remove();
    await server.close();
    await rm(dataDirectory, { recursive: true, force: true });
  });

  const isUp = "document.querySelector('#up')?.textContent === 'Up: true'";
  const state = (wanted: string): string => `document.querySelector('#config-state').textContent === '${wanted}'`;
  const effective = (part: string): string => `document.querySelector('#effective-config').textContent.includes('${part}')`;

  it("shows the agent, up, with what it runs, before anything was sent", async () => {
    await page.waitFor("document.querySelector('.agent-row .dot.healthy') !== null");
    await page.click(".agent-row");
    await page.waitFor(isUp);
    await page.waitFor(effective("opamp:"));
    expect(await page.evaluate(effective("hostmetrics"))).toBe(false);
    expect(await page.text("#attributes")).toContain(server.agent().uid);
  });

  it("applies the walkthrough's YAML when it is typed and saved", async () => {
    await page.fill("#config-body", PAGE_YAML);
    expect(await page.text("#save")).toBe("Save and Send to Agent");
    await page.click("#save");
    await page.waitFor(state("APPLIED"));
    await page.waitFor(`${isUp} && ${effective("hostmetrics")}`);
    expect(await page.evaluate("document.querySelector('#config-error')")).toBeNull();
    expect(await host.read("storage/effective.yaml")).toContain("hostmetrics");
    expect(await host.collectors()).toHaveLength(1);
  });

  it("shows the Collector's own reason for a configuration that it refuses, and the agent stays up", async () => {
    const before = await host.collectors();
    await page.fill("#config-body", PAGE_YAML.replaceAll("hostmetrics", "hostmetricks"));
    await page.click("#save");
    await page.waitFor(state("FAILED"));
    expect(await page.text("#config-error")).toContain(`'receivers' unknown type: "hostmetricks" for id: "hostmetricks"`);
    expect(await page.evaluate(isUp)).toBe(true);
    expect(await page.evaluate(effective("hostmetrics"))).toBe(true);
    expect(await host.collectors()).toEqual(before);
  });

  it("needed no reload, and the page made no error", async () => {
    expect(await page.evaluate("window.isSamePage")).toBe(true);
    expect(page.errors).toEqual([]);
  });
});
