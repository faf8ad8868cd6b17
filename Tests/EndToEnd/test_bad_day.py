# SPDX-License-Identifier: MIT
"""The bad day of the rehearsal in its short form; Tests/Rehearsal has it."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "Rehearsal"))
import bad_day  # noqa: E402  (after the path to it)
from bad_day_plan import SHORTEST, Plan  # noqa: E402


@pytest.mark.native
@pytest.mark.soak
@pytest.mark.timeout(2 * SHORTEST)
def test_a_bad_day_of_two_minutes_loses_nothing(tmp_path):
    day = bad_day.run(tmp_path, Plan(SHORTEST))
    print((tmp_path / "bad-day.txt").read_text())
    assert not day.problems, (len(day.problems), day.problems[:10])
