/** The supervisor's own health check over a real socket on 127.0.0.1. */
import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { startHealthcheck } from "../src/healthcheck.js";
import type { Healthcheck, Readiness } from "../src/healthcheck.js";
import { SupervisorError } from "../src/lib/error.js";
import { silentLogger } from "../src/lib/log.js";

interface Answer {
  readonly status: number;
  readonly body: string;
}

const open: Healthcheck[] = [];

async function start(readiness: () => Readiness): Promise<Healthcheck> {
  const healthcheck = await startHealthcheck({ host: "127.0.0.1", port: 0 }, readiness, silentLogger);
  open.push(healthcheck);
  return healthcheck;
}

function ask(port: number, path: string, method = "GET", body = ""): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

afterEach(async () => {
  for (const healthcheck of open.splice(0)) await healthcheck.close();
});

test("200 and nothing else when ready, by any method", async () => {
  const { port } = await start(() => ({ ok: true }));
  for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
    expect(await ask(port, "/health", method, method === "POST" ? "x".repeat(100_000) : "")).toEqual({ status: 200, body: "" });
  }
  expect(await ask(port, "/health?verbose=1")).toEqual({ status: 200, body: "" });
});

test("503 with the reason, and each question is answered anew", async () => {
  let readiness: Readiness = { ok: false, reason: "config state is nil" };
  const { port } = await start(() => readiness);
  expect(await ask(port, "/health")).toEqual({ status: 503, body: "config state is nil\n" });
  expect(await ask(port, "/health", "HEAD")).toEqual({ status: 503, body: "" });
  readiness = { ok: true };
  expect(await ask(port, "/health")).toEqual({ status: 200, body: "" });
});

test.each(["/", "/healthz", "/health/", "/health/x", "//health", "/Health", "/?/health"])("404 for %s", async (path) => {
  const { port } = await start(() => ({ ok: true }));
  expect(await ask(port, path)).toEqual({ status: 404, body: "404 page not found\n" });
});

test("garbage on the line does not end it", async () => {
  const { port } = await start(() => ({ ok: true }));
  await new Promise<void>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("\0\0garbage\r\n\r\n"));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
  });
  expect(await ask(port, "/health")).toEqual({ status: 200, body: "" });
});

test("closing ends an idle connection too, and twice is once", async () => {
  const healthcheck = await start(() => ({ ok: true }));
  const ended = new Promise<void>((resolve, reject) => {
    const socket = connect(healthcheck.port, "127.0.0.1", () => {
      socket.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    });
    socket.once("data", () => void healthcheck.close());
    socket.on("close", () => resolve());
    socket.on("error", reject);
  });
  await ended;
  await healthcheck.close();
  await expect(ask(healthcheck.port, "/health")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

describe("cannot listen", () => {
  test("a port in use", async () => {
    const { port } = await start(() => ({ ok: true }));
    const second = startHealthcheck({ host: "127.0.0.1", port }, () => ({ ok: true }), silentLogger);
    await expect(second).rejects.toBeInstanceOf(SupervisorError);
    await expect(second).rejects.toThrow(
      `failed to listen on port ${port} of 127.0.0.1 for the health check: another process uses it; choose another port in healthcheck.endpoint, or stop that process`,
    );
  });

  test("an address that this host does not have", async () => {
    const started = startHealthcheck({ host: "192.0.2.1", port: 0 }, () => ({ ok: true }), silentLogger);
    await expect(started).rejects.toThrow("failed to listen on port 0 of 192.0.2.1 for the health check: this host has no such address");
  });
});
