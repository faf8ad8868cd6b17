# SPDX-License-Identifier: MIT
"""What became of each step: its file, its line on the terminal, and REPORT.md."""

import glob
import sys
from dataclasses import dataclass, field

WORDS = {"passed": "ok", "failed": "FAILED", "skipped": "left out"}


@dataclass
class Step:
    """One step and what became of it so far."""

    number: int
    walk: str
    about: str          # the walk, in a sentence
    name: str
    story: str          # the step, in a sentence
    outcome: str = "passed"
    seconds: float = 0
    texts: list = field(default_factory=list)
    reason: str = ""    # why it failed or was left out, in a line

    @property
    def stem(self):
        """The name of its files without their ending."""
        return f"{self.number:03}-{self.name.replace('_', '-')}"


def sentence(text):
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def name_of(item):
    """The name of a step's files without their ending."""
    return item.stash_step.stem


class Report:
    """All steps of a run, in order."""

    def __init__(self, folder):
        self.folder, self.steps = folder, {}
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, item, number):
        """A step that will be done."""
        walk = item.module.__name__.removeprefix("walk_")
        story = sentence(item.function.__doc__)
        if hasattr(item, "callspec"):
            story += f" [{item.callspec.id}]"
        step = Step(number, walk, sentence(item.module.__doc__), item.name.removeprefix("step_"),
                    story)
        self.steps[item.nodeid] = item.stash_step = step
        for old in self.folder.glob(f"{number:03}-*"):
            old.unlink()

    def succeeded(self, item, name):
        """Whether the step of this name of the same walk was done and succeeded."""
        walk = item.stash_step.walk
        found = [s for s in self.steps.values() if (s.walk, s.name) == (walk, name)]
        assert found, f"{item.name} needs {name}, which is no step of {walk}"
        return found[0].outcome == "passed"

    def note(self, item, outcome):
        """Takes down one phase of a step: its preparation, itself, or its end."""
        step = item.stash_step
        step.seconds += outcome.duration
        if outcome.when == "call" and outcome.capstdout:
            step.texts.append(outcome.capstdout)
        if outcome.passed:
            return
        step.outcome = outcome.outcome
        if outcome.skipped:
            step.reason = str(outcome.longrepr[2]).removeprefix("Skipped: ")
            return
        crash = getattr(outcome.longrepr, "reprcrash", None)
        step.reason = (crash.message if crash else str(outcome.longrepr)).splitlines()[0]
        step.texts += ["" if outcome.when == "call" else outcome.capstdout, outcome.longreprtext]

    def tell(self, nodeid):
        """Writes a finished step's file, and its line on the terminal."""
        step = self.steps[nodeid]
        text = "\n".join(filter(None, step.texts))
        if step.outcome == "skipped":
            text = step.reason
        (self.folder / f"{step.stem}.txt").write_text(
            f"{step.story}\n{WORDS[step.outcome]}, {step.seconds:.1f} s\n\n{text}\n")
        line = f"{step.number:03} {WORDS[step.outcome]:8} {step.seconds:6.1f} s  {step.story}"
        if step.reason:
            line += f"\n    {step.reason[:300]}"
        print(line, file=sys.__stderr__, flush=True)

    def write(self):
        """REPORT.md: a table for each walk."""
        lines = ["# Rehearsal", ""]
        count = {word: sum(s.outcome == word for s in self.steps.values()) for word in WORDS}
        seconds = sum(step.seconds for step in self.steps.values())
        lines.append(f"{count['passed']} steps went well, {count['failed']} failed, "
                     f"{count['skipped']} were left out; {seconds:.0f} s.")
        walk = ""
        for step in sorted(self.steps.values(), key=lambda step: step.number):
            if step.walk != walk:
                walk = step.walk
                lines += ["", f"## {walk.replace('_', ' ').capitalize()}", "", step.about, "",
                          "| | step | | s | left |", "|---|---|---|---|---|"]
            left = ", ".join(f"[{path.suffix[1:]}]({path.name})"
                             for path in sorted(self.folder.glob(f"{glob.escape(step.stem)}*")))
            note = f"<br>{step.reason[:300].replace('|', ' ')}" if step.reason else ""
            lines.append(f"| {step.number:03} | {step.story.replace('|', ' ')}{note} | "
                         f"{WORDS[step.outcome]} | {step.seconds:.1f} | {left} |")
        (self.folder / "REPORT.md").write_text("\n".join(lines) + "\n")
