# One image with both programs: /worker, which it runs, and /starter.
ARG GO_VERSION=1.26.8
ARG ALPINE_VERSION=3.24.1

FROM golang:${GO_VERSION}-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY workflows workflows
COPY activities activities
COPY internal internal
COPY worker worker
COPY starter starter
# SQLite and everything else is Go, so no C library is needed.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/ ./worker ./starter

FROM alpine:${ALPINE_VERSION}
# Certificates for databases and buckets over TLS, time zones for dates.
RUN apk add --no-cache ca-certificates tzdata \
    && addgroup -g 10001 sluice \
    && adduser -D -u 10001 -G sluice -h /var/lib/sluice sluice \
    && mkdir -p /var/lib/sluice/stage \
    && chown -R sluice:sluice /var/lib/sluice
COPY --from=build /out/worker /out/starter /
ENV SLUICE_DATA_DIR=/var/lib/sluice
USER 10001:10001
CMD ["/worker"]
