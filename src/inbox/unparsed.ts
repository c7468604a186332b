import type { Server } from "node:http";
import type { Socket } from "node:net";

/** As Node answers without a listener. Everything else: 400. */
const ANSWER: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/**
 * Answers what is no request that Node hands on, and has it counted: no HTTP, too large headers, not whole in time, an
 * expectation, a tunnel. Connections that close, and those that never sent anything, are not counted.
 * @param isBusy whether an earlier request of the connection is being answered
 */
export function refuseUnparsed(server: Server, onRefused: () => void, isBusy: (socket: Socket) => boolean): void {
  server.on("clientError", (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const { code = "" } = error;
    const isRefused = code.startsWith("HPE_") || code === "ERR_HTTP_REQUEST_TIMEOUT";
    if (isRefused && socket.bytesRead > 0) onRefused();
    if (isRefused && socket.writable && !isBusy(socket))
      socket.write(`HTTP/1.1 ${ANSWER[code] ?? "400 Bad Request"}\r\nconnection: close\r\n\r\n`);
    socket.destroy();
  });
  server.on("checkExpectation", (_, response) => {
    onRefused();
    response.writeHead(417, { "content-length": 0, connection: "close" }).end();
  });
  server.on("connect", (_, socket) => {
    onRefused();
    socket.destroy();
  });
}
