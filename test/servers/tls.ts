import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { createServer } from "node:tls";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A private CA, as companies have, and TLS in front of servers without it. */
export async function startTls(names: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-tls-"));
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Acme CA");
  await openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=holdfast test");
  await writeFile(join(folder, "names"), `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`);
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
  await openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", ...signed);
  const [cert, privateKey] = await Promise.all(
    ["server.pem", "server.key"].map((name) => readFile(join(folder, name))),
  );
  const servers: ReturnType<typeof createServer>[] = [];
  return {
    /** For NODE_EXTRA_CA_CERTS. */
    ca: join(folder, "ca.pem"),
    /** @param url an http address on loopback. @returns the port with TLS */
    async front(url: string): Promise<number> {
      const { hostname, port } = new URL(url);
      const server = createServer({ cert: cert!, key: privateKey! }, (secure) => {
        const plain = createConnection({ host: hostname, port: Number(port) });
        pipeline(secure, plain, () => {});
        pipeline(plain, secure, () => {});
      });
      server.on("tlsClientError", () => {});
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      servers.push(server);
      return (server.address() as AddressInfo).port;
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
