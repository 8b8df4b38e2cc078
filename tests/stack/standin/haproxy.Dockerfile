# Stands in for the official haproxy:3.2 where no registry is reachable.
FROM debian:trixie-slim
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends haproxy
USER haproxy
