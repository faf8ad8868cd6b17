# SPDX-License-Identifier: MIT
"""A bad day: upstreams fail in every way, clients leave, power and disk go, and nobody notices."""

import pytest

import bad_day
from bad_day_plan import HOUR, Plan
from conftest import FOLDER


@pytest.mark.timeout(2 * HOUR)
def step_a_bad_day():
    """An hour at 20 requests a second, with 1 % of every fault: nothing is lost, nothing grows."""
    day = bad_day.run(FOLDER, Plan.of_environment())
    print((FOLDER / "bad-day.txt").read_text())
    assert not day.problems, (len(day.problems), day.problems[:10])
