import { activeSources } from "../config/sources.ts";
import type { Run } from "./context.ts";
import type { Tally } from "./summary.ts";

/** The subjects that `--subject` names, and which of them the provider has. */
export class RequestedSubjects {
  /** Those that this source must answer for. */
  readonly own: ReadonlySet<string>;
  readonly #run: Run;
  readonly #found = new Set<string>();

  constructor(run: Run, subjects: ReadonlySet<string>) {
    this.#run = run;
    this.own = ownSubjects(run, subjects);
  }

  noteFound(subject: string): void {
    this.#found.add(subject);
  }

  /** The provider has someone whose copies must not come back. */
  notePast(subject: string): void {
    if (!this.own.has(subject)) return;
    this.#found.add(subject);
    this.#run.log.warn("not exported again: this subject is past the retention date", { subject });
  }

  /** A requested subject that is not at the provider cannot be stored again. It is logged and counted as failed. */
  failMissing(tally: Tally): void {
    for (const subject of this.own.difference(this.#found)) {
      tally.failed += 1;
      this.#run.log.error("the provider does not have this subject", {
        subject,
        stage: "source",
        code: "source-missing",
      });
    }
  }
}

/** Not those whose project another source answers for. */
function ownSubjects({ catalog, config, sourceConfig, log }: Run, subjects: ReadonlySet<string>): Set<string> {
  const own = new Set<string>();
  const asked = [sourceConfig, ...activeSources(config)];
  for (const subject of subjects) {
    const project = catalog.subjects.known(subject)?.project;
    const name = project && asked.find((each) => catalog.sources.isOf(each.name, project))?.name;
    if (!name || name === sourceConfig.name) own.add(subject);
    else log.info("this subject is of another source", { subject, source: name });
  }
  return own;
}
