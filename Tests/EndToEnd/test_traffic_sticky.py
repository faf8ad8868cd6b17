# SPDX-License-Identifier: MIT
"""Sticky groups: a conversation stays on its channel, so that vendors' prompt caches hit."""

import pytest

from process import next_number
from traffic import pool_of

TURNS = 4


@pytest.fixture
def pool(gateway, fleet):
    """Three channels of equal weight in a sticky group."""
    return pool_of(gateway, fleet, {}, {}, {}, group={"sticky": True})


def grown(subject, turn):
    """The messages of a conversation at one of its turns."""
    messages = [{"role": "system", "content": "You are brief."},
                {"role": "user", "content": f"Tell me about {subject}."}]
    for number in range(turn):
        messages += [{"role": "assistant", "content": f"It is {number}."},
                     {"role": "user", "content": f"And {number + 1}?"}]
    return messages


def conversations(pool, ask, count=12):
    """Holds conversations by turns; the channel of each, which must be one."""
    used = [set() for _ in range(count)]
    for turn in range(TURNS):
        for number in range(count):
            used[number].add(ask(number, turn))
    assert all(len(channels) == 1 for channels in used), f"channels of each: {used}"
    return [channels.pop() for channels in used]


def by_first_messages(pool):
    return lambda number, turn: pool.served_by(messages=grown(f"subject {number}", turn))


@pytest.mark.short
def test_a_growing_conversation_stays_on_one_channel(pool):
    used = conversations(pool, by_first_messages(pool))
    assert len(set(used)) > 1, "all twelve conversations are on one channel"


@pytest.mark.parametrize("field", ["prompt_cache_key", "user"])
def test_a_key_of_the_client_decides(pool, field):
    def ask(number, turn):
        return pool.served_by(text=f"unrelated {next_number()}", **{field: f"session {number}"})

    assert len(set(conversations(pool, ask))) > 1


def test_streams_and_whole_answers_are_one_conversation(pool):
    def ask(number, turn):
        return pool.served_by(stream=turn % 2 == 1, messages=grown(f"subject {number}", turn))

    conversations(pool, ask, 6)


def test_only_conversations_of_a_dead_channel_move(pool):
    ask = by_first_messages(pool)
    before = conversations(pool, ask)
    dead = before[0]
    pool.upstreams[dead].kill()
    after = conversations(pool, ask)
    for number, (old, new) in enumerate(zip(before, after)):
        assert new != dead
        assert old in (dead, new), f"conversation {number} moved from {old} to {new} without need"


def test_without_sticky_the_weights_decide(gateway, fleet):
    pool = pool_of(gateway, fleet, {}, {}, {}, group={"sticky": False})
    used = [pool.served_by(messages=grown("one subject", turn)) for turn in range(6)]
    assert sorted(used) == [0, 0, 1, 1, 2, 2]
