#!/bin/sh
# Installs what is missing and runs the tests: a front of `make check`. DATA=../shared adds the tests on real models.
set -eu
cd "$(dirname "$0")/.."
sh tests/setup.sh check
make -j "$(nproc)" all unit tools
exec make check
