#!/bin/sh
# Installs what is missing, builds, and quantizes the example model: a front of `make demo`.
set -eu
cd "$(dirname "$0")/.."
sh tests/setup.sh
make -j "$(nproc)" all
exec make demo
