#!/bin/sh
# SPDX-License-Identifier: MIT
# Packs the documents and web pages that are inside the binary into .build/documents, where that
# is not done already.
#
#   scripts/documents.sh
set -eu
cd "$(dirname "$0")/.."
command -v zopfli >/dev/null || scripts/install-packages.sh run
exec python3 scripts/documents.py .build/documents
