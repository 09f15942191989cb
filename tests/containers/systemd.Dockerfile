# A bare Debian 12 whose systemd boots in a container, to install packages in.
FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends systemd systemd-sysv dbus \
    && rm -rf /var/lib/apt/lists/*
STOPSIGNAL SIGRTMIN+3
CMD ["/lib/systemd/systemd"]
