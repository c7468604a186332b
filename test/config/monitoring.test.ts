import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { FIELDS, LEVELS } from "../../src/observe/log.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { onPath } from "../servers/ceph.ts";

const skip = onPath("promtool") ? false : "promtool is not installed";
const RULES = "config/prometheus/holdfast.rules.yaml";

// biome-ignore lint/suspicious/noExplicitAny: the files can hold anything; a wrong path fails the test.
type Any = any;

const rules: Any[] = parse(readFileSync(RULES, "utf8")).groups.flatMap((group: Any) => group.rules);
const dashboard: Any = JSON.parse(readFileSync("config/grafana/holdfast.json", "utf8"));
const page = readFileSync("docs/MONITORING.md", "utf8");
const metrics = new Metrics("1");
metrics.client("acme");
/** The metrics that the daemon exposes, each with its labels. */
const exposed = new Map(
  (await metrics.registry.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => name.startsWith("holdfast_"))
    .map((name) => [name, (metrics.registry.getSingleMetric(name) as Any).labelNames as string[]]),
);
const queries: string[] = [
  ...rules.map(({ expr }) => expr),
  ...dashboard.panels.flatMap(({ targets }: Any) => targets.map(({ expr }: Any) => expr)),
  dashboard.templating.list.find(({ name }: Any) => name === "client").query.query,
];

const folder = mkdtempSync(join(tmpdir(), "holdfast-promtool-"));
after(() => rmSync(folder, { recursive: true }));

function promtool(...args: string[]): string {
  try {
    return execFileSync("promtool", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return assert.fail(`${stdout}\n${stderr}`);
  }
}

describe("rules and dashboard", () => {
  test("the daemon exposes every metric they use, with those labels", () => {
    const asked = new Set<string>();
    for (const query of queries) {
      for (const [, name = "", matchers = ""] of query.matchAll(/\b(holdfast_\w+)(?:\{([^}]*)\})?/g)) {
        const metric = exposed.has(name) ? name : name.replace(/_(bucket|count|sum)$/, "");
        const labels = exposed.get(metric);
        assert.ok(labels, `${name} in ${query}`);
        for (const [, label = ""] of matchers.matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g))
          assert.ok(labels.includes(label), `${label} of ${name}`);
        asked.add(metric);
      }
    }
    // Unused metrics may be missing.
    assert.deepEqual(
      [...exposed.keys()].filter((name) => !asked.has(name)),
      [],
    );
  });

  test("there is an alert for an export that has silently stopped, whether its last success is old or missing", () => {
    const exprs = rules.map(({ expr }) => expr).join("\n");
    assert.match(exprs, /time\(\) - holdfast_last_success_timestamp_seconds >/);
    assert.match(exprs, /absent\(holdfast_build_info\)/);
    assert.match(exprs, /unless on \(client\) holdfast_last_success_timestamp_seconds/);
    for (const { alert } of rules)
      assert.ok(page.includes(`\`${alert}\``), `docs/MONITORING.md says what to do about ${alert}`);
  });

  test("labels are only the client and those with a fixed set of values", () => {
    const labels = new Set([...exposed.values()].flat());
    assert.deepEqual([...labels].sort(), [
      "at",
      "client",
      "code",
      "operation",
      "outcome",
      "result",
      "secret",
      "source",
      "stage",
      "version",
      "within",
    ]);
  });
});

describe("promtool", { skip }, () => {
  test("accepts the rules", () => {
    assert.match(promtool("check", "rules", RULES), /SUCCESS/);
  });

  test("fires each alert when it is due, and not before", () => {
    const file = join(folder, "rules.test.yaml");
    writeFileSync(file, readFileSync("test/config/holdfast.rules.test.yaml", "utf8").replace("RULES", resolve(RULES)));
    assert.match(promtool("test", "rules", file), /SUCCESS/);
  });

  test("accepts every query of the dashboard", () => {
    const exprs = queries
      .filter((query) => !query.startsWith("label_values"))
      .map((expr, index) => ({
        record: `panel:${index}`,
        expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$client", ".*"),
      }));
    const file = join(folder, "dashboard.yaml");
    writeFileSync(file, stringify({ groups: [{ name: "dashboard", rules: exprs }] }));
    assert.match(promtool("check", "rules", file), /SUCCESS/);
  });

  test("accepts what the daemon exposes", async () => {
    const told = spawnSync("promtool", ["check", "metrics"], { input: await metrics.text(), encoding: "utf8" });
    // prom-client's default metrics have names that promtool warns about.
    assert.deepEqual(
      told.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("nodejs_")),
      [],
    );
  });
});

describe("docs/MONITORING.md", () => {
  /** First cells of the table under a heading. */
  const table = (heading: string): string[] => {
    const section = page.slice(page.indexOf(`\n## ${heading}`) + 1).split("\n## ")[0]!;
    return [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, cell]) => cell!.replace(/\{.*/, ""));
  };

  test("lists exactly the metrics that exist", () => {
    assert.deepEqual(table("Metrics").sort(), [...exposed.keys()].sort());
  });

  test("lists exactly the fields that a log line may have", () => {
    assert.deepEqual(table("Logs").sort(), ["level", "time", "msg", ...FIELDS].sort());
  });

  test("explains the log levels", () => {
    for (const level of LEVELS) assert.match(page, new RegExp(`\\*\\*${level}\\*\\*`));
  });
});
