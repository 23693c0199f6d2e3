import { expect, it } from "vitest";
import { parseArguments } from "../../../examples/server/arguments.js";
import { newsLine } from "../../../examples/server/news-line.js";
import { startTestServer } from "../../support/opamp-server.js";
import { firstMessage, httpAgent, UID } from "./scripted-agent.js";

it("without arguments it is the server of the walkthrough", () => {
  expect(parseArguments([]).server).toEqual({ dataDirectory: "./demo-data/server", tls: true, host: "0.0.0.0", opampPort: 4320, pageHost: "0.0.0.0", pagePort: 4321, otlpPort: 4318 });
});

it("each flag has its effect", () => {
  const args = ["--no-tls", "--host", "127.0.0.1", "--opamp-port=0", "--page-port", "1", "--page-host", "::1", "--otlp-port", "off", "--data", "x", "--quiet"];
  expect(parseArguments(args)).toEqual({
    isHelp: false,
    isQuiet: true,
    server: { dataDirectory: "x", tls: false, host: "127.0.0.1", opampPort: 0, pageHost: "::1", pagePort: 1, otlpPort: null },
  });
});

it.each([
  [["--page-port", "70000"], "--page-port must be a port between 0 and 65535, got 70000"],
  [["--opamp-port", "x"], "--opamp-port must be a port between 0 and 65535, got x"],
  [["--nope"], "Unknown option '--nope'"],
])("%j is refused", (args, message) => {
  expect(() => parseArguments(args)).toThrow(message);
});

it("a port in use is named with the flag that chooses another", async () => {
  const server = await startTestServer();
  const { port } = new URL(server.webSocketUrl);
  await expect(startTestServer({ opampPort: Number(port) })).rejects.toThrow(
    new RegExp(`^cannot listen on 127.0.0.1:${port} for OpAMP \\(.*EADDRINUSE.*\\); stop what uses it or choose another with --opamp-port$`),
  );
  await server.close();
});

it("a line for each message; an agent cannot steer the terminal", async () => {
  const server = await startTestServer();
  const name = { key: "service.name", value: { value: { case: "stringValue" as const, value: "\u001b[2Jevil\n" } } };
  await httpAgent(server).ask(firstMessage({ agentDescription: { identifyingAttributes: [name] } }));
  const lines = server.news.map((news) => newsLine(news, server.fleet)).filter((line) => line !== null);
  expect(lines).toEqual([
    expect.stringMatching(new RegExp(`^${UID}  \\[2Jevil  -> #0 description, healthy, effective configuration, remote configuration UNSET \\(\\d+ bytes\\)$`)),
    expect.stringMatching(/ <- acknowledged \(20 bytes\)$/),
  ]);
  await server.close();
});
