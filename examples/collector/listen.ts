/** Opens a listening TCP server and says what is wrong in the words of Go's `net` package. */
import type { AddressInfo, Server } from "node:net";

export type Listening = { readonly ok: true; readonly address: string } | { readonly ok: false; readonly error: string };

/** @param endpoint `host:port`; port 0 takes a free one, an empty host listens everywhere. */
export async function listen(server: Server, endpoint: string): Promise<Listening> {
  const parsed = splitEndpoint(endpoint);
  if ("error" in parsed) return { ok: false, error: `listen tcp: ${parsed.error}` };
  const { host, port } = parsed;
  return await new Promise<Listening>((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      resolve({ ok: false, error: reason(error, host, port) });
    });
    server.listen({ port, host: host === "localhost" ? "127.0.0.1" : host === "" ? "0.0.0.0" : host, exclusive: true }, () => {
      const { address, port: bound, family } = server.address() as AddressInfo;
      resolve({ ok: true, address: family === "IPv6" ? `[${address}]:${bound}` : `${address}:${bound}` });
    });
  });
}

/** Ends at once: open connections are cut. */
export async function closeServer(server: Server & { closeAllConnections?: () => void }): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections?.();
  });
}

function splitEndpoint(endpoint: string): { readonly host: string; readonly port: number } | { readonly error: string } {
  const bracketed = /^\[([^\]]*)\]:(.*)$/.exec(endpoint);
  if (bracketed === null && endpoint.split(":").length > 2) return { error: `address ${endpoint}: too many colons in address` };
  if (!endpoint.includes(":")) return { error: `address ${endpoint}: missing port in address` };
  const host = bracketed?.[1] ?? endpoint.slice(0, endpoint.lastIndexOf(":"));
  const portText = bracketed?.[2] ?? endpoint.slice(endpoint.lastIndexOf(":") + 1);
  const port = Number(portText === "" ? "0" : portText);
  if (!/^\d*$/.test(portText)) return { error: `lookup tcp/${portText}: unknown port` };
  return port > 65_535 ? { error: `address ${portText}: invalid port` } : { host, port };
}

function reason(error: NodeJS.ErrnoException & { address?: string }, host: string, port: number): string {
  const address = `${host === "localhost" ? "127.0.0.1" : host}:${port}`;
  if (error.code === "EADDRINUSE") return `listen tcp ${address}: bind: address already in use`;
  if (error.code === "EACCES") return `listen tcp ${address}: bind: permission denied`;
  if (error.code === "EADDRNOTAVAIL") return `listen tcp ${address}: bind: cannot assign requested address`;
  return `listen tcp: lookup ${host}: no such host`;
}
