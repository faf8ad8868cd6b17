# SPDX-License-Identifier: MIT
"""The profile of the x86_64 release: how often each branch is taken under load.

A binary that counts (PROFILE=generate) serves every load in turn; the compiler reads the sum.
"""

import glob
import json
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
    if not shutil.which("swiftc"):
        raise tools.Failure("no swiftc: the Swift tool chain must be on PATH")
    told = subprocess.run(["swiftc", "-print-target-info"], capture_output=True, check=True)
    resources = json.loads(told.stdout)["paths"]["runtimeResourcePath"]
    return os.path.join(resources, "../../bin/llvm-profdata")


def write(path, folder):
    """Writes the sum of the counts in `folder`; the number of functions."""
    counts = sorted(glob.glob(os.path.join(folder, "*.profraw")))
    if len(counts) != len(LOADS):
        raise tools.Failure(f"counts of {len(counts)} of {len(LOADS)} loads: link the binary with "
                            "PROFILE=generate")
    whole = os.path.join(folder, "sum")
    subprocess.run([profdata(), "merge", "--text", "-o", whole, *counts], check=True)
    with open(whole, encoding="utf-8") as file:
        lines = file.readlines()
    with open(path, "w", encoding="utf-8") as file:  # Each function repeats the same comments.
        file.writelines(line for line in lines if not line.startswith("#"))
    return lines.count("# Func Hash:\n")
