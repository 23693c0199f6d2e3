/** Starts to listen, with an error that a person can act on. */
import type { AddressInfo, Server } from "node:net";
import { messageOf, SupervisorError } from "../../src/lib/error.js";

/** @param flag the command line flag that chooses the port. */
export function listen(server: Server, host: string, port: number, what: string, flag: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const remedy = error.code === "EADDRINUSE" ? `stop what uses it or choose another with ${flag}` : `choose another with ${flag}`;
      reject(new SupervisorError("server", `cannot listen on ${host}:${port} for ${what} (${messageOf(error)}); ${remedy}`, { cause: error }));
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}
