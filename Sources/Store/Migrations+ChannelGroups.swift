// SPDX-License-Identifier: MIT

/// Step 2 of the schema.
extension Migrations {
  /// Channel groups and user groups as objects of their own, and what channels gain with them.
  ///
  /// Until here a group was any name that a channel, a token or a user had: each such name
  /// becomes a row. -1 stands for the gateway's own setting.
  static let channelGroups: StaticString = """
    CREATE TABLE channel_groups (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      strategy INTEGER NOT NULL DEFAULT 1,
      retries INTEGER NOT NULL DEFAULT -1,
      retry_interval_ms INTEGER NOT NULL DEFAULT -1,
      fallback_channels TEXT NOT NULL DEFAULT '',
      is_sticky INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL
    ) STRICT;
    INSERT INTO channel_groups (name, created_at) VALUES ('default', unixepoch());
    WITH RECURSIVE names (name, rest) AS (
      SELECT '', groups || ',' FROM channels
      UNION ALL
      SELECT '', channel_group || ',' FROM tokens
      UNION
      SELECT trim(substr(rest, 1, instr(rest, ',') - 1)), substr(rest, instr(rest, ',') + 1)
      FROM names WHERE rest <> ''
    )
    INSERT OR IGNORE INTO channel_groups (name, created_at)
    SELECT DISTINCT name, unixepoch() FROM names WHERE name <> '' ORDER BY name;
    CREATE TABLE user_groups (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      channel_groups TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT;
    INSERT INTO user_groups (name, channel_groups, created_at)
    VALUES ('default', 'default', unixepoch());
    INSERT OR IGNORE INTO user_groups (name, channel_groups, created_at)
    SELECT DISTINCT user_group, ifnull(channel_groups.name, 'default'), unixepoch()
    FROM users LEFT JOIN channel_groups ON channel_groups.name = user_group
    WHERE user_group <> ''
    ORDER BY user_group;
    ALTER TABLE channels ADD COLUMN max_concurrency INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE channels ADD COLUMN location INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE channels ADD COLUMN wake_mac TEXT NOT NULL DEFAULT '';
    ALTER TABLE channels ADD COLUMN wake_broadcast TEXT NOT NULL DEFAULT '';
    ALTER TABLE channels ADD COLUMN wake_timeout_ms INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE channels ADD COLUMN wake_policy INTEGER NOT NULL DEFAULT 0;
    """
}
