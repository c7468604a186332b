# The exporter, and nothing else: no shell, no package manager and no write access to its own code are needed.
#
#   docker build -t holdfast .
#   docker run --rm --read-only \
#     -v /etc/holdfast/holdfast.yaml:/holdfast/config/holdfast.yaml:ro \
#     -v holdfast:/var/lib/holdfast \
#     -e ACME_PASSBASE_SECRET_KEY -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY \
#     holdfast export

# npm stays in this stage. Scripts of packages are not run: no dependency of the program needs one.
FROM node:26-slim AS dependencies
WORKDIR /holdfast
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /holdfast
COPY --from=dependencies /holdfast/node_modules node_modules
# package.json says that the code is ES modules, and which version it is.
COPY package.json LICENSE ./
# Error messages point at it.
COPY config/holdfast.example.yaml config/
COPY jobs jobs
COPY src src
# Owned by this user: a new volume that is mounted here is writable for it. The code stays root's.
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/holdfast
# By number, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 1000:1000
# Node runs TypeScript as it is, and Holdfast handles SIGTERM itself: it ends the run in order.
ENTRYPOINT ["node", "--max-semi-space-size=4", "src/cli.ts"]
CMD ["--help"]
