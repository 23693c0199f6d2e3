#!/usr/bin/env bash
# Builds one of the Go programs beside this script (its folder is the argument) and prints where it is.
source "$(dirname "${BASH_SOURCE[0]}")/build-cache.sh"

program=${1:?usage: build-go-program.sh FOLDER}
sources=$interop_dir/$program

build() {
  go -C "$sources" build -buildvcs=false -trimpath -o "$1/$program" .
}

built "$program" "$sources"/go.mod "$sources"/go.sum "$sources"/*.go
