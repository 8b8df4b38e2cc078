# Stands in for the official node:22-trixie-slim where no registry is reachable:
# Node and npm as packages of the npm registry, this machine's certificates.
FROM debian:trixie-slim
COPY ca.crt /etc/ssl/certs/ca-certificates.crt
COPY node_modules/node/bin/node /usr/local/bin/node
COPY node_modules/npm /usr/local/lib/node_modules/npm
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN cd /usr/local/bin && ln -s ../lib/node_modules/npm/bin/npm-cli.js npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js npx
