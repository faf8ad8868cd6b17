# SPDX-License-Identifier: MIT
"""The profile of the x86_64 release: how often each branch is taken under load.

A binary that counts (PROFILE=generate) serves every load in turn; the compiler reads the sum.
"""

import glob
import os
import shutil
import subprocess

import tools

# load, requests, TLS towards the upstream
LOADS = (("requests", 20_000, False), ("single", 3000, False), ("big", 500, False),
         ("streams", 1500, False), ("few", 60, False), ("requests", 2000, True),
         ("streams", 600, True))


def profdata():
    """The tool chain's llvm-profdata."""
    swiftc = shutil.which("swiftc") or ""
    found = os.path.join(os.path.dirname(os.path.realpath(swiftc)), "llvm-profdata")
    if not os.path.exists(found):
        raise tools.Failure(f"no {found}: the Swift tool chain must be on PATH")
    return found


def write(path, folder):
    """Writes the sum of the counts in `folder`; the number of functions."""
    counts = sorted(glob.glob(os.path.join(folder, "*.profraw")))
    if not counts:
        raise tools.Failure("the binary left no counts: link it with PROFILE=generate")
    subprocess.run([profdata(), "merge", "--text", "-o", path, *counts], check=True)
    with open(path, encoding="utf-8") as file:
        lines = file.readlines()
    with open(path, "w", encoding="utf-8") as file:  # Each function repeats the same comments.
        file.writelines(line for line in lines if not line.startswith("#"))
    return lines.count("# Func Hash:\n")
