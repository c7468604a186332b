import { type Ceph, installed, startCeph } from "./servers/ceph.ts";
import { withoutChromium } from "./servers/chromium.ts";

let ceph: Ceph | undefined;

/**
 * Starts the real S3 server once for the whole run (HOLDFAST_TEST_S3 names one that runs already). Where it cannot be
 * had, the tests that need it are left out and one line says so; in CI that is a failure.
 */
export async function globalSetup(): Promise<void> {
  if (withoutChromium) {
    if (process.env.CI) throw new Error("CI must run every test: chromium is missing");
    console.error("left out: the tests of viewer.html in a browser. To include them: apt-get install chromium");
  }
  if (process.env.HOLDFAST_TEST_S3) return;
  if (!installed()) {
    if (process.env.CI)
      throw new Error("CI must run every test: radosgw ceph-mon ceph-osd ceph-common age redis-server are missing");
    console.error(
      "left out: the tests on Ceph RGW, on Redis and with the age command. To include them: apt-get install radosgw ceph-mon ceph-osd ceph-common age redis-server",
    );
    return;
  }
  ceph = await startCeph();
  process.env.HOLDFAST_TEST_S3 = ceph.endpoint;
}

export async function globalTeardown(): Promise<void> {
  ceph?.stop();
}
