# Debian's PgBouncer, which is also what the tests use. There is no image by its authors.
FROM debian:13.1-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends pgbouncer \
    && rm -rf /var/lib/apt/lists/*
USER 65532:65532
ENTRYPOINT ["/usr/sbin/pgbouncer"]
CMD ["/etc/pgbouncer/netqoe.ini"]
