# SPDX-License-Identifier: MIT
"""The order of functions in the x86_64 release, from callgrind's counts.

A gateway that waits for the next chunk of a stream wakes up with cold caches. What every chunk
runs lies together, behind it what every request runs; the linker puts the rest where it likes.
"""

import collections
import re

LOADS = ("few", "requests")  # chunks come one by one, then whole answers


def counted(path):
    """How often each function was called, from one of callgrind's files."""
    names, calls, callee = {}, collections.Counter(), ""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            found = re.match(r"(c?fn)=\((\d+)\)(?: (.*))?", line)
            if found:
                if found[3]:  # Named once, then by its number; ' marks recursion.
                    names[found[2]] = found[3].split("'")[0]
                if found[1] == "cfn":
                    callee = names[found[2]]
            elif line.startswith("calls="):
                calls[callee] += int(line[6:].split()[0])
    return calls


def write(path, runs):
    """Writes the names that each of `runs` (file, units of work) calls for every fourth unit."""
    order = {}
    for counts, units in runs:
        for name, count in counted(counts).most_common():
            if count * 4 >= units and re.fullmatch(r"[\w$.]+", name):
                order[name] = None
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(name + "\n" for name in order)
    return len(order)
