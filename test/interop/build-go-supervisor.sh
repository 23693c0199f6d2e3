#!/usr/bin/env bash
# Builds the Go supervisor, the one that the bench compares with, and prints where it is. `go install` refuses it, since
# its go.mod has replace directives: it is built from a module that only requires it.
source "$(dirname "${BASH_SOURCE[0]}")/build-cache.sh"

SUPERVISOR=github.com/open-telemetry/opentelemetry-collector-contrib/cmd/opampsupervisor
VERSION=v0.149.0

build() {
  mkdir ../module
  (
    cd ../module
    go mod init opampsupervisor.test/go-supervisor
    go get "$SUPERVISOR@$VERSION"
    go build -buildvcs=false -trimpath -ldflags="-s -w" -o "$1/opampsupervisor-go" "$SUPERVISOR"
  )
}

built opampsupervisor-go
