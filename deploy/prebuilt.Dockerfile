# The image of deploy/Dockerfile, of a binary that was built outside: where no builder image can be had. `make image` makes
# the folder that it is built from: shuffle, rehearsal, ca-certificates.crt.
FROM scratch AS rehearsal
USER 65532:65532
COPY rehearsal /
ENTRYPOINT ["/rehearsal"]

FROM scratch
USER 65532:65532
COPY ca-certificates.crt /etc/ssl/certs/
COPY shuffle /
ENV SHUFFLE_ALIVE=@shuffle
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/shuffle", "alive"]
ENTRYPOINT ["/shuffle"]
