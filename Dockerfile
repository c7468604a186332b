# The exporter, and nothing else: no shell, no package manager and no write access to its own code are needed.
#
#   docker build -t holdfast .
#   docker run --rm --read-only \
#     -v /etc/holdfast/holdfast.yaml:/holdfast/config/holdfast.yaml:ro \
#     -v holdfast:/var/lib/holdfast \
#     -e ACME_PASSBASE_SECRET_KEY -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY \
#     holdfast export
#
# Node's permission model is on (ENTRYPOINT). The program reads its own code and config, /run/secrets, mounted tokens of
# a cloud (/var/run/secrets), /home/node/.aws, its state, and /out; it writes to its state and to /out; it reaches the
# network; it starts no process, no thread, and loads no native code. So:
#
# - Keys that init makes, and a directory vault, belong below /var/lib/holdfast.
# - retrieve, open, reseal, report and purge certificates write to a folder that is mounted as /out, and owned by 1000:
#   `-v /srv/cases:/out holdfast retrieve … --out /out/case-2026-117`. What they read (requests, lists, age identity
#   files) is put there, or below /run/secrets.
# - An AWS profile with credential_process starts a process, and does not work; a role, keys, SSO and web identity do.
# - Node lets SQLite open whatever the user may open: the read-only file system and user 1000 bound that.

# Give the base by its digest where a build must be the same again: a tag may move.
#
#   docker build --build-arg NODE=node:26-slim@sha256:… -t holdfast .
ARG NODE=node:26-slim

# npm, the packages and the sources stay in this stage. No package's script runs: none is needed to bundle the program.
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
ENV NODE_ENV=production
WORKDIR /holdfast
COPY --from=build /holdfast ./
# Owned by this user: a new volume that is mounted here is writable for it. The code stays root's.
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/holdfast
# By number, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 1000:1000
# Node runs TypeScript as it is, and Holdfast handles SIGTERM itself: it ends the run in order.
# --allow-net says that it is experimental, at every start and on the log's stream: that is left out.
# Of /proc what doctor and no-core-dump.ts look at, and not all of it: /proc/self/root is the whole file system.
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
