import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { HoldfastError } from "../core/error.ts";

/**
 * Keeps a server to so many connections: at the limit it closes the oldest, so that a new one always gets in.
 * @param isBusy whether a connection must stay, because its request is being answered
 */
export function limitConnections(
  server: Server,
  most: number,
  isBusy: (socket: Socket) => boolean = () => false,
): void {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    if (connections.size > most)
      connections
        .values()
        .find((each) => !isBusy(each))
        ?.destroy();
  });
}

/** Starts a server, and returns its port. Throws `config` if the address is unavailable. */
export async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  field: string,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new HoldfastError("config", `cannot listen on ${host}:${port} (${cause.code})`, {
          cause,
          hint: `Set ${field} to an address of this machine with a free port.`,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
