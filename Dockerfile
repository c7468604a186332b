# The exporter, bundled, and nothing else: to run, it needs no packages, no shell and no write access to its own code.
#
#   docker build -t holdfast .
#   docker run --rm --read-only \
#     -v /etc/holdfast/holdfast.yaml:/holdfast/config/holdfast.yaml:ro \
#     -v holdfast:/var/lib/holdfast \
#     -e ACME_PERSONA_API_KEY -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY \
#     holdfast export
#
# Node's permission model is on (ENTRYPOINT). The program may read its own code and config, /run/secrets, the mounted
# tokens of a cloud (/var/run/secrets), /home/node/.aws, its state and /out. It may write to its state and to /out, and
# use the network. It may not start a process or a thread, or load native code. So:
#
# - Put the keys that init makes, and a vault in a directory, below /var/lib/holdfast.
# - retrieve, open, reseal, report and purge certificates write to /out. Mount a folder there that user 1000 owns:
#   `-v /srv/cases:/out holdfast retrieve … --out /out/case-2026-117`. Put what they read (requests, lists, age identity
#   files) there too, or below /run/secrets.
# - An AWS profile with credential_process does not work: it starts a process. A role, keys, SSO and web identity do.
# - Node's permission model does not bind SQLite, which opens whatever the user may open. The read-only file system and
#   user 1000 bound that.

# A tag may move. For a build that can be repeated, name the base by its digest:
#
#   docker build --build-arg NODE=node:26-slim@sha256:… -t holdfast .
ARG NODE=node:26-slim

# npm, the packages and the sources stay in this stage. No package's script runs: bundling needs none.
FROM ${NODE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE ./
COPY config config
COPY jobs jobs
COPY release release
COPY src src
RUN node release/image.ts /holdfast

FROM ${NODE}
# Where no terminal is attached, a collector reads the log: JSON lines. `docker run -t` shows text.
ENV NODE_ENV=production HOLDFAST_LOG_FORMAT=json
WORKDIR /holdfast
COPY --from=build /holdfast ./
# A new volume that is mounted here takes this owner, so the user can write to it. The code stays root's.
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/holdfast
# A number, so that Kubernetes can tell that it is not root (runAsNonRoot).
USER 1000:1000
# Node is the container's first process: Holdfast handles SIGTERM itself, and ends the run in order.
# At every start --allow-net would warn, among the lines of the log, that it is experimental: no such warnings.
# Of /proc only what doctor and no-core-dump.ts look at: /proc/self/root is the whole file system.
ENTRYPOINT ["node", \
  "--max-semi-space-size=4", \
  "--permission", \
  "--disable-warning=ExperimentalWarning", \
  "--allow-net", \
  "--allow-fs-read=/holdfast", \
  "--allow-fs-read=/run/secrets", \
  "--allow-fs-read=/var/run/secrets", \
  "--allow-fs-read=/home/node/.aws", \
  "--allow-fs-read=/proc/self/limits", \
  "--allow-fs-read=/proc/self/coredump_filter", \
  "--allow-fs-write=/proc/self/coredump_filter", \
  "--allow-fs-read=/var/lib/holdfast", \
  "--allow-fs-write=/var/lib/holdfast", \
  "--allow-fs-read=/out", \
  "--allow-fs-write=/out", \
  "program/holdfast.js"]
CMD ["--help"]
