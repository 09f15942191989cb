# antiphon-server, with the client and the trainer beside it. Both stages take the steps that the
# scripts take on any Debian 12, from the same list of packages (scripts/packages.txt). How to use
# the image: docs/deployment.md.

FROM debian:12 AS build
WORKDIR /src
COPY scripts/packages.txt scripts/packages.sh scripts/lib.sh scripts/
RUN scripts/packages.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN scripts/build.sh programs \
    && cmake --install build/programs --prefix /opt/antiphon --strip

FROM debian:12-slim AS runtime
COPY deploy/image-excludes /etc/dpkg/dpkg.cfg.d/antiphon
COPY scripts/packages.txt scripts/packages.sh scripts/lib.sh /tmp/antiphon/scripts/
RUN /tmp/antiphon/scripts/packages.sh runtime \
    && rm -rf /var/lib/apt/lists/* /var/lib/dpkg/info/*.symbols /tmp/antiphon
COPY --from=build /opt/antiphon /opt/antiphon
# Fails where a library is missing.
RUN ! ldd /opt/antiphon/bin/* | grep -F "not found"
COPY models/default /opt/antiphon/models/default
COPY deploy/antiphon-serve /opt/antiphon/bin/antiphon-serve
RUN groupadd --system --gid 10001 antiphon \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/antiphon --no-create-home \
        antiphon \
    && install -d -o antiphon -g antiphon /var/lib/antiphon /var/lib/antiphon/snapshots
ENV PATH=/opt/antiphon/bin:$PATH \
    ANTIPHON_BUNDLE=/var/lib/antiphon/bundle \
    ANTIPHON_LISTEN=0.0.0.0:50051 \
    ANTIPHON_METRICS_LISTEN=0.0.0.0:9464
USER 10001:10001
LABEL org.opencontainers.image.title="Antiphon" \
      org.opencontainers.image.description="Finds the score for a recording, over gRPC" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="GPL-3.0-or-later AND CC-BY-SA-4.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:12-slim"
VOLUME /var/lib/antiphon
EXPOSE 50051 9464
STOPSIGNAL SIGTERM
# Asks for no key, as `antiphon status` would. Before there is a collection, all scores are indexed.
HEALTHCHECK --interval=15s --timeout=10s --start-period=600s --retries=3 CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/9464 && printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3 \
   && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["antiphon-serve"]
