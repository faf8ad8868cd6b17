# SPDX-License-Identifier: MIT
"""A gateway as an office might run it: what the pictures of the pages show."""

import math
import random
import time
from concurrent.futures import ThreadPoolExecutor

import payloads
from accounts import USER_PASSWORD
from database import detail, opened, packed
from shapes import Verbatim
from test_sdk_chat import user

DAY = 86400
# Name, type, models with the script that plays them, more fields.
CHANNELS = [
    ("Qwen", "qwen", {"qwen-max": "slow-first-byte:180", "qwen-plus": "slow-first-byte:90"},
     {"weight": 90}),
    ("DeepSeek", "deepseek",
     {"deepseek-chat": "slow-first-byte:240", "deepseek-reasoner": "reason"}, {"weight": 50}),
    ("ERNIE", "ernie", {"qwen-max": "slow-first-byte:320", "ernie-4.5": "status:500"},
     {"weight": 10}),
    ("Workshop PC", "ollama", {"llama3.2": "echo"}, {"location": "local"}),
]
USERS = [("zhang.wei", None), ("li.na", 20_000_000), ("wang.fang", 8_000_000), ("intern", 500_000)]
TOKENS = ["Office chat", "Translation service", "Code assistant", "Invoice reader"]
PRICES = {"qwen-max": ("1.2", "4.8"), "qwen-plus": ("0.4", "1"), "deepseek-chat": ("0.14", "0.28"),
          "deepseek-*": ("0.28", "1.1"), "ernie-4.5": ("0.6", "2.4"), "llama3.2": ("0", "0")}
QUESTION = "Write a shell command that counts the lines of all Python files here."
ANSWER = """This counts the lines of each file and of all together:

```sh
find . -name '*.py' -exec cat {} + | wc -l
```

`find` looks into every folder below this one; `wc -l` counts lines."""


def furnish(gateway, upstream):
    """Channels, groups, accounts, tokens, prices and codes; the id of what others are made of."""
    call = gateway.call
    call("POST", "/channel-groups", {"name": "fast", "strategy": "least_latency", "retries": 2})
    call("POST", "/channel-groups", {"name": "private", "strategy": "priority", "sticky": True})
    for name, kind, models, more in CHANNELS:
        call("POST", "/channels", {
            "name": name, "type": kind, "keys": ["sk-" + name.lower().replace(" ", "") + "-0001"],
            "base_url": upstream.url(path="" if kind == "ollama" else "/v1"),
            "models": list(models), "model_mapping": models,
            "groups": ["default", "private" if kind == "ollama" else "fast"], **more})
    call("POST", "/user-groups", {"name": "staff", "channel_groups": ["default", "fast"],
                                  "ratio": "0.8"})
    for name, quota in USERS:
        call("POST", "/users", {"username": name, "password": USER_PASSWORD, "quota": quota,
                                "group": "staff" if quota else "default"})
    keys = [call("POST", "/tokens", {
        "name": name, "quota": 5_000_000, "quota_period": "monthly", "rpm": 120,
        "models": ["qwen-max", "deepseek-chat"] if number % 2 else [],
        "expires_at": int(time.time()) + 30 * DAY * (number + 1),
    })["key"] for number, name in enumerate(TOKENS)]
    call("POST", "/tokens", {"name": "playground"})
    for model, (prompt, completion) in PRICES.items():
        call("POST", "/prices", {"model": model, "prompt": prompt, "completion": completion})
    call("POST", "/redemptions", {"name": "Welcome", "quota": 500_000, "count": 6})
    return keys


def talk(gateway, keys):
    """Some requests now, for the figures of the last hour."""
    clients = [gateway.sdk(keys[0]), gateway.sdk(keys[2])]
    models = ["qwen-max", "qwen-max", "deepseek-chat", "qwen-plus", "deepseek-reasoner"] * 5
    models.append("ernie-4.5")

    def ask(number):
        client = clients[number % 3 == 0]
        model = models[number % len(models)]
        try:
            client.chat.completions.create(model=model, messages=user("Good morning"))
        except Exception:
            assert model == "ernie-4.5"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(90)))


def story(upstream, gateway):
    """A model whose answer is the one of the playground's picture."""
    pieces = [ANSWER[at:at + 9] for at in range(0, len(ANSWER), 9)]
    chunks = [payloads.chunk("qwen-max", {"content": piece}) for piece in pieces]
    chunks.append({**payloads.chunk("qwen-max", {}, "stop"),
                   "usage": {"prompt_tokens": 23, "completion_tokens": 61, "total_tokens": 84}})
    body = b"".join(b"data: " + payloads.dump(each) + b"\n\n" for each in chunks)
    upstream.verbatim["@story"] = Verbatim(
        body + b"data: [DONE]\n\n", 0,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    gateway.channel(upstream.url(), ["qwen3-coder"], name="Qwen Coder",
                    model_mapping={"qwen3-coder": "qwen3-coder@story"})


def remember(gateway):
    """A month of figures, statistics and log rows, into the database of the stopped gateway."""
    chance = random.Random(7)
    now = int(time.time())
    with opened(gateway) as database:
        names = dict(database.execute("SELECT name, id FROM models"))
        models = [names[name] for name in ("qwen-max", "deepseek-chat", "qwen-plus")]
        tokens = [row[0] for row in database.execute("SELECT id FROM tokens ORDER BY id LIMIT 4")]
        users = [row[0] for row in database.execute("SELECT id FROM users ORDER BY id")]
        for hour in range(now // 3600 - 719, now // 3600):
            wave = 0.15 + max(0, math.sin((hour % 24 - 7) / 24 * 2 * math.pi))
            for channel, share in enumerate((90, 50, 10), 1):
                count = int(share * wave * chance.uniform(0.7, 1.3)) + 1
                database.execute("INSERT OR REPLACE INTO channel_hours VALUES (?,?,?,?,?,?,?,?,?)",
                                 figures(hour, channel, count, chance))
        for day in range(now // DAY - 29, now // DAY + 1):
            for number in range(12):
                requests = chance.randint(20, 160)
                database.execute("INSERT OR REPLACE INTO usage_days VALUES (?,?,?,?,?,?,?,?,?,?)", (
                    day, users[number % len(users)], tokens[number % 4], models[number % 3],
                    requests, requests // 60, requests * 420, requests * 180, requests * 90,
                    requests * chance.randint(300, 900) * 1_000_000))
        for number in range(400):
            prompt, completion = chance.randint(40, 2400), chance.randint(20, 900)
            failed = number % 47 == 0
            database.execute(
                "INSERT OR REPLACE INTO logs VALUES (?,?,?,?,?,?,?,?,?)",
                ((now - 7200 - number * 97) << 16, users[number % len(users)], tokens[number % 4],
                 1 + number % 3, models[number % 3], prompt, 0 if failed else completion,
                 0 if failed else (prompt + 4 * completion) * 800_000,
                 detail(chance.randint(700, 5200), chance.randint(150, 600), stream=number % 3 > 0,
                        failure=(502, 2, 8) if failed else None)))


def figures(hour, channel, count, chance):
    """A row of `channel_hours`: counts, errors by kind, times in steps."""
    successes = count - (chance.random() < 0.2) - (count // 8 if channel == 3 else 0)

    def histogram(first, shares):
        numbers, step = [len(shares)], 0
        for place, share in enumerate(shares, first):
            numbers += [place - step, int(successes * share) + 1]
            step = place
        return b"".join(map(packed, numbers))
    errors = b"".join(map(packed, (1, 3, count - successes) if count > successes else (0,)))
    times = histogram(18 + channel, (0.1, 0.4, 0.3, 0.15, 0.05)) + histogram(15, (0.3, 0.5, 0.2))
    return (hour, channel, count, successes, count * 420, count * 180, successes * 1900,
            count * 320, errors + times)
