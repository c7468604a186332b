import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";

const run = promisify(execFile);

const CONFIG = `
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[plain]
basicConstraints = critical,CA:FALSE
[lax]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = timeStamping
[both]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = critical,timeStamping,codeSigning
[answers]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = chain.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[refuses]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha512
`;

export type Extensions = "ca" | "tsa" | "plain" | "lax" | "both";

/** Makes keys, certificates and time stamps with the openssl command, in its own folder. */
export class Openssl implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** With a root, `ca.pem`, and an authority issued by it, `tsa.pem`. EC P-256 by default. */
  static async make(key: "ec" | "rsa" = "ec"): Promise<Openssl> {
    const made = new Openssl(await mkdtemp(join(tmpdir(), "holdfast-tsa-")));
    await writeFile(made.path("openssl.cnf"), CONFIG);
    await made.key("ca");
    await made.run(
      "req",
      "-x509",
      "-new",
      "-key",
      "ca.key",
      "-subj",
      "/CN=Test Root",
      "-days",
      "3650",
      ...made.with("ca"),
      "-out",
      "ca.pem",
    );
    await made.key("tsa", key);
    await made.issue("tsa", "tsa", "ca");
    await writeFile(made.path("chain.pem"), await readFile(made.path("ca.pem")));
    return made;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async run(...args: string[]): Promise<string> {
    return (await run("openssl", args, { cwd: this.folder })).stdout;
  }

  with(extensions: Extensions): string[] {
    return ["-config", "openssl.cnf", "-extensions", extensions];
  }

  async key(name: string, kind: "ec" | "rsa" = "ec"): Promise<void> {
    const how =
      kind === "ec" ? ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] : ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    await this.run("genpkey", "-algorithm", ...how, "-out", `${name}.key`);
  }

  /** Writes `<name>.pem` for `<name>.key`, signed by `issuer` and valid for `days` from now. */
  async issue(name: string, extensions: Extensions, issuer: string, days = 365): Promise<void> {
    await this.run(
      "req",
      "-new",
      "-key",
      `${name}.key`,
      "-subj",
      `/CN=Test ${name}`,
      "-config",
      "openssl.cnf",
      "-out",
      `${name}.csr`,
    );
    const by = ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial", "-days", String(days)];
    await this.run(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...by,
      "-extfile",
      "openssl.cnf",
      "-extensions",
      extensions,
      "-out",
      `${name}.pem`,
    );
  }

  /** Writes `<name>.pem` with a new key and exactly these extensions, signed by `issuer` or self-signed. */
  async certify(name: string, extensions: readonly string[], issuer?: string, subject = name): Promise<void> {
    await this.key(name);
    await writeFile(this.path(`${name}.ext`), ["[these]", ...extensions, ""].join("\n"));
    const request = ["-new", "-key", `${name}.key`, "-subj", `/CN=${subject}`, "-config", "openssl.cnf"];
    await this.run("req", ...request, "-out", `${name}.csr`);
    const by = issuer
      ? ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial"]
      : ["-key", `${name}.key`];
    const how = ["-days", "365", "-extfile", `${name}.ext`, "-extensions", "these"];
    await this.run("x509", "-req", "-in", `${name}.csr`, ...by, ...how, "-out", `${name}.pem`);
  }

  /** Whether `openssl verify` accepts `leaf` as a time-stamping certificate, with `between` up to the trusted root. */
  async takesForTimestamps(root: string, between: readonly string[], leaf: string): Promise<boolean> {
    const pems = await Promise.all(between.map((name) => readFile(this.path(`${name}.pem`), "utf8")));
    await writeFile(this.path("between.pem"), pems.join(""));
    const untrusted = between.length > 0 ? ["-untrusted", "between.pem"] : [];
    const how = ["-purpose", "timestampsign", "-CAfile", `${root}.pem`, ...untrusted, `${leaf}.pem`];
    try {
      await this.run("verify", ...how);
      return true;
    } catch (error) {
      if (/verification failed/.test((error as { stderr?: string }).stderr ?? "")) return false;
      throw error;
    }
  }

  /** The answer to a request, from the given section of the config. */
  async reply(query: Uint8Array, section: "answers" | "refuses" = "answers"): Promise<Buffer> {
    await writeFile(this.path("query.tsq"), query);
    const how = ["-config", "openssl.cnf", "-section", section, "-queryfile", "query.tsq", "-out", "reply.tsr"];
    await this.run("ts", "-reply", ...how);
    return readFile(this.path("reply.tsr"));
  }

  /** The output of `openssl ts -verify` for an answer, with `ca.pem` trusted. */
  async verify(token: Uint8Array, digest: string): Promise<string> {
    await writeFile(this.path("verify.tsr"), token);
    return this.run("ts", "-verify", "-in", "verify.tsr", "-digest", digest, "-CAfile", "ca.pem");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** An answer other than a valid time stamp. */
export type Reply = (query: Buffer, response: ServerResponse) => Promise<void> | void;

/** A real time-stamping authority on loopback: `openssl ts` behind HTTP. */
export class Tsa implements AsyncDisposable {
  readonly url: string;
  readonly openssl: Openssl;
  readonly queries: Buffer[] = [];
  /** One per request; after that it answers with valid stamps again. */
  readonly replies: Reply[] = [];
  readonly #close: () => Promise<void>;

  private constructor(openssl: Openssl, port: number, close: () => Promise<void>) {
    this.openssl = openssl;
    this.url = `http://127.0.0.1:${port}/tsr`;
    this.#close = close;
  }

  get ca(): string {
    return this.openssl.path("ca.pem");
  }

  static async start(key?: "ec" | "rsa"): Promise<Tsa> {
    const openssl = await Openssl.make(key);
    // One at a time: openssl keeps its serial number in a file.
    let last: Promise<unknown> = Promise.resolve();
    const server = createServer((request, response) => {
      last = last.then(async () => {
        const query = await buffer(request);
        tsa.queries.push(query);
        const reply = tsa.replies.shift();
        if (reply) return reply(query, response);
        const asked = request.method === "POST" && request.headers["content-type"] === "application/timestamp-query";
        if (!asked) return void response.writeHead(415).end();
        response.writeHead(200, { "content-type": "application/timestamp-reply" }).end(await openssl.reply(query));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const tsa: Tsa = new Tsa(openssl, (server.address() as AddressInfo).port, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await openssl[Symbol.asyncDispose]();
    });
    return tsa;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
