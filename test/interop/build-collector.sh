#!/usr/bin/env bash
# Builds the real Collector with its own builder and prints where it is; a second run only prints.
source "$(dirname "${BASH_SOURCE[0]}")/build-cache.sh"

BUILDER=go.opentelemetry.io/collector/cmd/builder@v0.149.0

build() {
  cp "$interop_dir/builder-config.yaml" .
  go run "$BUILDER" --config=builder-config.yaml
  mv dist/otelcol otelcol
  rm -rf dist
  ./otelcol --version
}

built otelcol "$interop_dir/builder-config.yaml"
