# The image of deploy/Dockerfile, from a binary that was compiled outside: for machines without a builder image, and for
# a release.
# `make image` makes the build context: shuffle, rehearsal, bin/ca-certificates.crt.
FROM scratch AS rehearsal
USER 65532:65532
COPY rehearsal /
ENTRYPOINT ["/rehearsal"]

FROM scratch
USER 65532:65532
COPY bin/ca-certificates.crt /etc/ssl/certs/
COPY shuffle /
ENV SHUFFLE_ALIVE=@shuffle
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/shuffle", "alive"]
ENTRYPOINT ["/shuffle"]
ARG VERSION=
ARG REVISION=
LABEL org.opencontainers.image.title="google-shuffle" \
      org.opencontainers.image.description="Keeps ML datasets in S3 equal to Google spreadsheets" \
      org.opencontainers.image.source="https://github.com/angel-nft/google-shuffle" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
