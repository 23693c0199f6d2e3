/** Which ports are there to be had. */
import { createServer, type AddressInfo } from "node:net";

/** False where somebody listens, or where this user may not. */
export async function isFree(host: string, port: number): Promise<boolean> {
  return (await tryToListen(host, port)) !== null;
}

/** A port of 127.0.0.1 that nobody uses now. */
export async function freePort(): Promise<number> {
  const port = await tryToListen("127.0.0.1", 0);
  if (port === null) throw new Error("there is no free port on 127.0.0.1");
  return port;
}

function tryToListen(host: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, host, () => {
      const { port: given } = server.address() as AddressInfo;
      server.close(() => resolve(given));
    });
  });
}
