import { isIP } from "node:net";
import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";

export interface Address {
  /** IPv6 without brackets, as sockets expect it. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** An address of this machine and a port: 127.0.0.1:9464, [::]:9464. @throws HoldfastError "config" */
export function parseListen(text: string): Address {
  const [, bracketed, plain, port = ""] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const named = bracketed === undefined ? isIP(host) === 4 || host === "localhost" : isIP(host) === 6;
  if (named && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new HoldfastError("config", `${redacted(text)} is not an address to listen on`, {
    hint: "write an address of this machine and a port: 127.0.0.1:9464, or 0.0.0.0:9464 for all its addresses",
  });
}
