# The image, with what the tests need beside the programs. What the image leaves out stays out.
FROM antiphon
USER root
COPY packages.txt packages.sh lib.sh /tmp/scripts/
RUN /tmp/scripts/packages.sh test && apt-get install -y --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/* /tmp/scripts
ENTRYPOINT []
