# The image, with the programs by which tests make their files. What the image leaves out stays out.
FROM antiphon
USER root
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg flac lame opus-tools \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /tmp
ENTRYPOINT []
