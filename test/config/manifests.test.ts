import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { parsePause } from "../../src/config/duration.ts";
import { parseListen } from "../../src/config/listen.ts";
import { parseConfig } from "../../src/config/load.ts";
import { hasCode } from "../../src/core/error.ts";
import { program } from "../cli/program.ts";

/** The default of schedule.grace. */
const GRACE = parsePause("PT50S", 1);
const FOLDER = "config/kubernetes";

// biome-ignore lint/suspicious/noExplicitAny: YAML can hold anything; a wrong path fails the test.
type Yaml = any;

const objects: Yaml[] = readdirSync(FOLDER)
  .filter((name) => name !== "holdfast.yaml")
  .flatMap((name) => parseAllDocuments(readFileSync(join(FOLDER, name), "utf8"), { merge: true }))
  .map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
const named = (kind: string): string[] => objects.filter((one) => one.kind === kind).map((one) => one.metadata.name);
const pods: { name: string; spec: Yaml }[] = objects.flatMap((one) => {
  const spec = one.spec?.jobTemplate?.spec.template.spec ?? one.spec?.template?.spec;
  return spec ? [{ name: `${one.kind} ${one.metadata.name}`, spec }] : [];
});
const compose: Yaml = parse(readFileSync("config/compose.yaml", "utf8"), { merge: true });

/** The command exists and has these options, according to its help. */
async function assertCommandLine(args: readonly string[]): Promise<void> {
  const { stdout, code } = await program([args[0]!, "--help"]);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`Usage: holdfast ${args[0]}`));
  for (const option of args.filter((arg) => arg.startsWith("--"))) assert.ok(stdout.includes(option), option);
}

describe("Kubernetes", () => {
  test("there are pods for the export, the backfill, its workers and Redis", () => {
    assert.deepEqual(pods.map(({ name }) => name).sort(), [
      "CronJob holdfast-export",
      "Deployment holdfast-daemon",
      "Deployment holdfast-redis",
      "Job holdfast-backfill",
      "Job holdfast-worker",
    ]);
  });

  for (const { name, spec } of pods) {
    test(`${name}: no unnecessary rights, and every name it uses is defined`, async () => {
      assert.equal(spec.automountServiceAccountToken, false);
      assert.ok(named("ServiceAccount").includes(spec.serviceAccountName));
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
      for (const container of spec.containers) {
        const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = container.securityContext;
        assert.deepEqual([allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities.drop], [false, true, ["ALL"]]);
        assert.ok(container.resources.limits.memory);
        for (const { valueFrom } of container.env ?? [])
          if (valueFrom) assert.ok(named("Secret").includes(valueFrom.secretKeyRef.name));
        if (container.name === "holdfast") {
          // `command` would replace the image's ENTRYPOINT, and so disable Node's permission model.
          assert.equal(container.command, undefined);
          // For a log collector.
          assert.ok(container.env.some((one: Yaml) => one.name === "HOLDFAST_LOG_FORMAT" && one.value === "json"));
          await assertCommandLine(container.args);
        }
        for (const mount of container.volumeMounts ?? []) {
          assert.ok(
            spec.volumes.some((volume: Yaml) => volume.name === mount.name),
            mount.name,
          );
        }
      }
      for (const { persistentVolumeClaim, projected } of spec.volumes ?? []) {
        if (persistentVolumeClaim) assert.ok(named("PersistentVolumeClaim").includes(persistentVolumeClaim.claimName));
        for (const { secret } of projected?.sources ?? [])
          assert.ok(named("Secret").includes(secret.name), secret.name);
      }
    });
  }

  test("a pod failure policy names the status of its condition, which the schema requires", () => {
    const rules = objects
      .flatMap((one) => [one.spec?.podFailurePolicy, one.spec?.jobTemplate?.spec.podFailurePolicy])
      .flatMap((policy) => policy?.rules ?? [])
      .flatMap(({ onPodConditions = [] }) => onPodConditions);
    assert.deepEqual(rules, Array(3).fill({ type: "DisruptionTarget", status: "True" }));
  });

  test("every resource of the kustomization exists, and there is one image", () => {
    const { resources, images } = objects.find((one) => one.kind === "Kustomization");
    for (const name of resources) assert.ok(readdirSync(FOLDER).includes(name), name);
    const image = `${images[0].newName}:${images[0].newTag}`;
    for (const { spec } of pods) {
      for (const one of spec.containers)
        if (one.name === "holdfast") assert.ok([image, "holdfast"].includes(one.image));
    }
    assert.equal(images[0].newTag, JSON.parse(readFileSync("package.json", "utf8")).version);
  });

  test("the probes use the daemon's configured port, and Kubernetes waits long enough for it to stop", () => {
    const { spec } = pods.find(({ name }) => name === "Deployment holdfast-daemon")!;
    const { listen } = parse(readFileSync(join(FOLDER, "holdfast.yaml"), "utf8")).metrics;
    const [{ ports, livenessProbe, readinessProbe }] = spec.containers;
    assert.deepEqual(ports, [{ name: "metrics", containerPort: parseListen(listen).port }]);
    assert.deepEqual(
      [livenessProbe, readinessProbe].map(({ httpGet }) => [httpGet.path, httpGet.port]),
      [
        ["/healthz", "metrics"],
        ["/readyz", "metrics"],
      ],
    );
    for (const name of ["CronJob holdfast-export", "Deployment holdfast-daemon"]) {
      const seconds = pods.find((pod) => pod.name === name)!.spec.terminationGracePeriodSeconds;
      assert.ok(seconds * 1000 > GRACE, name);
    }
  });

  test("only pods that write the log get the log key, workers do not", () => {
    const mounts = (name: string) => JSON.stringify(pods.find((pod) => pod.name === name)).includes("holdfast-log");
    assert.deepEqual(
      [
        ...["CronJob holdfast-export", "Deployment holdfast-daemon", "Job holdfast-backfill"],
        ...["Job holdfast-worker", "Deployment holdfast-redis"],
      ].map(mounts),
      [true, true, true, false, false],
    );
  });

  test("every secret in the config is mounted, and the config lacks only recipients", async () => {
    const text = readFileSync(join(FOLDER, "holdfast.yaml"), "utf8");
    const keys = objects.filter((one) => one.kind === "Secret").flatMap((one) => Object.keys(one.stringData));
    for (const [, file = ""] of text.matchAll(/file:\/run\/secrets\/holdfast\/([\w.-]+)/g))
      assert.ok(keys.includes(file), file);
    await assert.rejects(parseConfig(text, "holdfast.yaml"), (error: Error) => {
      assert.ok(hasCode(error, "recipients"), String(error));
      assert.equal(error.message.split("\n").length, 2);
      return true;
    });
  });
});

describe("Compose", () => {
  for (const [name, service] of Object.entries<Yaml>(compose.services)) {
    test(`${name}: no unnecessary rights, and every name it uses is defined`, async () => {
      assert.equal(service.read_only, true);
      assert.deepEqual(service.cap_drop, ["ALL"]);
      assert.deepEqual(service.security_opt, ["no-new-privileges:true"]);
      assert.notEqual(service.user.split(":")[0], "0");
      assert.equal(name === "redis" ? undefined : service.entrypoint, undefined);
      for (const secret of service.secrets ?? []) assert.ok(compose.secrets[secret], secret);
      for (const other of service.depends_on ?? []) assert.ok(compose.services[other], other);
      if (name !== "redis") await assertCommandLine(service.command);
    });
  }

  test("only services that write the log get the log key, workers do not", () => {
    const has = (name: string) => (compose.services[name].secrets ?? []).includes("acme-bank.log-key");
    assert.deepEqual(["nightly", "backfill", "worker", "redis"].map(has), [true, true, false, false]);
  });
});
