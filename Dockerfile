# The service in an image of its own: built with the lock file, run by nobody in particular, with nothing else inside.

FROM rust:1.95.0-bookworm AS build
WORKDIR /build
COPY . .
# Downloads are kept for the next build, compiled code is not: Cargo tells by a file's time whether it changed, and a checkout
# may bring an older one.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo build --release --locked --bin bookonce \
    && strip --strip-debug target/release/bookonce

# The same Debian as above: the binary uses its C library.
FROM debian:12.12-slim
# Trusted roots, for TLS to a store or a ledger whose certificate a public authority signed. The client of EventStoreDB
# wants to read them even when it speaks no TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /build/target/release/bookonce /usr/local/bin/bookonce
# A fresh named volume takes the owner of the folder that it is mounted on.
RUN install -d -m 0700 -o 10001 -g 10001 /data /keys /operator
USER 10001:10001
# Loopback inside a container is reached by nobody. Beyond it the service starts only with a key, and with TLS or
# BOOKONCE_INSECURE=true. Mount something on /data: what is in the container goes with it.
ENV BOOKONCE_DATA=/data BOOKONCE_LISTEN=0.0.0.0:7070
EXPOSE 7070
# It asks over TLS where BOOKONCE_TLS_CERT, or the file in BOOKONCE_CONFIG, has it served.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["bookonce", "health"]
ENTRYPOINT ["bookonce"]
CMD ["serve"]
