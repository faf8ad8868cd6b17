# SPDX-License-Identifier: MIT
"""Makes databases as One API and New API make them: all columns of the tables that are read."""

import json
import sqlite3

ONE_API = {
    "users": "id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE, password TEXT NOT NULL, "
             "display_name TEXT, role INT DEFAULT 1, status INT DEFAULT 1, email TEXT, "
             "github_id TEXT, wechat_id TEXT, lark_id TEXT, oidc_id TEXT, access_token CHAR(32), "
             "quota BIGINT DEFAULT 0, used_quota BIGINT DEFAULT 0, request_count INT DEFAULT 0, "
             "`group` VARCHAR(32) DEFAULT 'default', aff_code VARCHAR(32), inviter_id INT",
    "tokens": "id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, key CHAR(48) UNIQUE, "
              "status INTEGER DEFAULT 1, name TEXT, created_time BIGINT, accessed_time BIGINT, "
              "expired_time BIGINT DEFAULT -1, remain_quota BIGINT DEFAULT 0, "
              "unlimited_quota NUMERIC DEFAULT false, used_quota BIGINT DEFAULT 0, models TEXT, "
              "subnet TEXT DEFAULT ''",
    "channels": "id INTEGER PRIMARY KEY AUTOINCREMENT, type INTEGER DEFAULT 0, key TEXT, "
                "status INTEGER DEFAULT 1, name TEXT, weight INTEGER DEFAULT 0, "
                "created_time BIGINT, test_time BIGINT, response_time INTEGER, "
                "base_url TEXT DEFAULT '', other TEXT, balance REAL, balance_updated_time BIGINT, "
                "models TEXT, `group` VARCHAR(32) DEFAULT 'default', used_quota BIGINT DEFAULT 0, "
                "model_mapping VARCHAR(1024) DEFAULT '', priority BIGINT DEFAULT 0, config TEXT, "
                "system_prompt TEXT",
    "redemptions": "id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, key CHAR(32) UNIQUE, "
                   "status INTEGER DEFAULT 1, name TEXT, quota BIGINT DEFAULT 100, "
                   "created_time BIGINT, redeemed_time BIGINT",
    "options": "key TEXT PRIMARY KEY, value TEXT",
    "abilities": "`group` VARCHAR(32), model TEXT, channel_id INTEGER, enabled NUMERIC, "
                 "priority BIGINT DEFAULT 0, PRIMARY KEY (`group`, model, channel_id)",
    "logs": "id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, created_at BIGINT, "
            "type INTEGER, content TEXT, username TEXT, token_name TEXT, model_name TEXT, "
            "quota INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER, channel_id INTEGER",
}

NEW_API = {
    "users": "id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE, password TEXT NOT NULL, "
             "display_name TEXT, role INT DEFAULT 1, status INT DEFAULT 1, email TEXT, "
             "github_id TEXT, discord_id TEXT, oidc_id TEXT, wechat_id TEXT, telegram_id TEXT, "
             "access_token CHAR(32), quota INT DEFAULT 0, used_quota INT DEFAULT 0, "
             "request_count INT DEFAULT 0, `group` VARCHAR(64) DEFAULT 'default', "
             "aff_code VARCHAR(32), aff_count INT DEFAULT 0, aff_quota INT DEFAULT 0, "
             "aff_history INT DEFAULT 0, inviter_id INT, deleted_at DATETIME, linux_do_id TEXT, "
             "setting TEXT, remark VARCHAR(255), stripe_customer VARCHAR(64), created_at BIGINT, "
             "last_login_at BIGINT DEFAULT 0, auth_version BIGINT NOT NULL DEFAULT 1",
    "tokens": "id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, key VARCHAR(128) UNIQUE, "
              "status INTEGER DEFAULT 1, name TEXT, created_time BIGINT, accessed_time BIGINT, "
              "expired_time BIGINT DEFAULT -1, remain_quota INTEGER DEFAULT 0, "
              "unlimited_quota NUMERIC, model_limits_enabled NUMERIC, model_limits TEXT, "
              "allow_ips TEXT DEFAULT '', used_quota INTEGER DEFAULT 0, `group` TEXT DEFAULT '', "
              "cross_group_retry NUMERIC, deleted_at DATETIME",
    "channels": "id INTEGER PRIMARY KEY AUTOINCREMENT, type INTEGER DEFAULT 0, key TEXT NOT NULL, "
                "openai_organization TEXT, test_model TEXT, status INTEGER DEFAULT 1, name TEXT, "
                "weight INTEGER DEFAULT 0, created_time BIGINT, test_time BIGINT, "
                "response_time INTEGER, base_url TEXT DEFAULT '', other TEXT, balance REAL, "
                "balance_updated_time BIGINT, models TEXT, `group` VARCHAR(64) DEFAULT 'default', "
                "used_quota BIGINT DEFAULT 0, model_mapping TEXT, "
                "status_code_mapping VARCHAR(1024) DEFAULT '', priority BIGINT DEFAULT 0, "
                "auto_ban INTEGER DEFAULT 1, other_info TEXT, tag TEXT, setting TEXT, "
                "param_override TEXT, header_override TEXT, remark VARCHAR(255), "
                "channel_info JSON, settings TEXT",
    "redemptions": "id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, key CHAR(32) UNIQUE, "
                   "status INTEGER DEFAULT 1, name TEXT, quota INTEGER DEFAULT 100, "
                   "created_time BIGINT, redeemed_time BIGINT, used_user_id INTEGER, "
                   "deleted_at DATETIME, expired_time BIGINT",
    "options": ONE_API["options"],
    "setups": "id INTEGER PRIMARY KEY AUTOINCREMENT, version VARCHAR(50) NOT NULL, "
              "initialized_at BIGINT NOT NULL",
}

BCRYPT = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"


def key(letter):
    """A client's key as it is stored: 48 characters without sk-."""
    return letter * 48


class Foreign:
    """One such database, filled row by row."""

    def __init__(self, path, schema):
        self.path = path
        self.database = sqlite3.connect(path)
        for table, columns in schema.items():
            self.database.execute(f"CREATE TABLE `{table}` ({columns})")

    def add(self, table, **values):
        """One row; what is not named has its default."""
        names = ", ".join(f"`{name}`" for name in values)
        marks = ", ".join("?" * len(values))
        self.database.execute(
            f"INSERT INTO `{table}` ({names}) VALUES ({marks})", tuple(values.values()))
        return self

    def user(self, id, username, role=1, status=1, **more):
        return self.add("users", id=id, username=username, password=BCRYPT, role=role,
                        status=status, **more)

    def token(self, letter, user_id=1, **more):
        values = {"name": f"token {letter}", "status": 1, "created_time": 1700000000,
                  "remain_quota": 1000, "unlimited_quota": 0, **more}
        return self.add("tokens", key=key(letter), user_id=user_id, **values)

    def channel(self, name, type, **more):
        values = {"key": "sk-upstream-key-9", "models": "m", "status": 1,
                  "created_time": 1700000000, **more}
        return self.add("channels", name=name, type=type, **values)

    def option(self, name, value):
        text = value if isinstance(value, str) else json.dumps(value)
        return self.add("options", key=name, value=text)

    def close(self):
        """Writes and closes it; the path."""
        self.database.commit()
        self.database.close()
        return self.path


def one_api(path):
    """An empty database of One API with its root, whose quota has no limit."""
    return Foreign(path, ONE_API).user(1, "root", role=100, quota=500_000_000_000_000)


def new_api(path, root="root"):
    """An empty database of New API with its root."""
    made = Foreign(path, NEW_API).user(1, root, role=100, quota=100_000_000)
    return made.add("setups", version="v1.0.0", initialized_at=1700000000)
