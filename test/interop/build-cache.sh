# Sourced by the build scripts. A program is built once for each set of inputs, into a cache outside the checkout:
# in a directory of its own that is renamed into place when it is complete, so that nobody ever sees half of it.
#
# A script names its inputs, defines `build` (run in an empty directory, leaves the program there under its name) and
# calls `built NAME INPUT...`, which prints the path of the program. Exit code 3: there is no usable Go on this machine.

set -euo pipefail

interop_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LOCK_SECONDS_MAX=1200
ABANDONED_MINUTES=120

built() {
  local name=$1 cache key target
  shift
  require_go
  cache=$(cache_directory)
  mkdir -p "$cache"
  outside_home "$cache"
  key=$(digest "$0" "${BASH_SOURCE[0]}" "$@")
  target=$cache/$name-$key
  if [ ! -x "$target/$name" ]; then
    build_once "$cache" "$name" "$target" >&2
  fi
  printf '%s\n' "$target/$name"
}

build_once() (
  local cache=$1 name=$2 target=$3 work
  # The second of two that run at once waits here, and finds the work done.
  exec 9>"$target.lock"
  if command -v flock >/dev/null; then flock -w "$LOCK_SECONDS_MAX" 9; fi
  if [ -x "$target/$name" ]; then return 0; fi
  find "$cache" -maxdepth 1 -name '.building-*' -mmin "+$ABANDONED_MINUTES" -exec rm -rf {} + || true
  work=$(mktemp -d "$cache/.building-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/out"
  echo "building $name (kept in $target)"
  cd "$work/out"
  build "$work/out"
  [ -x "$work/out/$name" ] || { echo "the build left no $name behind"; exit 1; }
  # Without flock somebody else may have been first: theirs is as good as ours.
  mv -T "$work/out" "$target" || [ -x "$target/$name" ]
)

cache_directory() {
  if [ -n "${OPAMPSUPERVISOR_CACHE:-}" ]; then
    printf '%s\n' "$OPAMPSUPERVISOR_CACHE"
  elif [ -n "${XDG_CACHE_HOME:-${HOME:-}}" ]; then
    printf '%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}/opampsupervisor"
  else
    printf '%s\n' "${TMPDIR:-/tmp}/opampsupervisor-cache-$(id -u)"
  fi
}

# Go refuses to work where it finds no place for its caches.
outside_home() {
  export GOWORK=off
  if [ -z "${HOME:-}" ]; then
    export GOPATH=${GOPATH:-$1/go} GOCACHE=${GOCACHE:-$1/go-build}
  fi
}

# The `go` line of the test server's go.mod says which Go is enough; newer Go versions fetch the one that it asks for.
require_go() {
  local words
  if ! command -v go >/dev/null; then
    echo "go is not installed: the interop tests need it to build the Collector and the test server" >&2
    exit 3
  fi
  if ! words=$(cd "$interop_dir/go-server" && GOWORK=off go list -m 2>&1); then
    echo "this go cannot build the interop programs: $words" >&2
    exit 3
  fi
}

digest() {
  { cat "$@"; (cd "$interop_dir/go-server" && go env GOVERSION GOOS GOARCH CGO_ENABLED); } | sha256sum | cut -c1-16
}
