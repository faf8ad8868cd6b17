// SPDX-License-Identifier: MIT

/// Step 3 of the schema.
extension Migrations {
  /// Money, people and their records.
  ///
  /// Charges are millionths of a quota unit from here on: `used_quota` and a log row's `quota`
  /// become `used_micro` and `charge`. NULL still stands for one unit per token in a log row.
  /// Ratios are millionths too: 1000000 is 1.
  static let accounts: StaticString = """
    ALTER TABLE usage RENAME COLUMN used_quota TO used_micro;
    UPDATE usage SET used_micro =
      iif(used_micro > 9223372036854, 9223372036854775807, used_micro * 1000000);
    ALTER TABLE logs RENAME COLUMN quota TO charge;
    UPDATE logs SET charge = iif(charge > 9223372036854, 9223372036854775807, charge * 1000000)
    WHERE charge IS NOT NULL;
    ALTER TABLE user_groups ADD COLUMN ratio INTEGER NOT NULL DEFAULT 1000000;
    CREATE TABLE prices (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      model TEXT NOT NULL UNIQUE,
      prompt INTEGER NOT NULL,
      completion INTEGER,
      cached INTEGER,
      image INTEGER,
      audio_prompt INTEGER,
      audio_completion INTEGER,
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE redemptions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      code_hash BLOB NOT NULL UNIQUE CHECK (length(code_hash) = 32),
      code_hint TEXT NOT NULL,
      quota INTEGER NOT NULL,
      expires_at INTEGER,
      status INTEGER NOT NULL,
      used_by INTEGER,
      used_at INTEGER,
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE management_tokens (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      key_hash BLOB NOT NULL UNIQUE CHECK (length(key_hash) = 32),
      key_hint TEXT NOT NULL,
      is_read_only INTEGER NOT NULL,
      expires_at INTEGER,
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX management_tokens_by_user ON management_tokens (user_id);
    CREATE TABLE sessions (
      id_hash BLOB NOT NULL PRIMARY KEY CHECK (length(id_hash) = 32),
      user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      epoch INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_by_user ON sessions (user_id);
    CREATE TABLE ended_logins (
      jti BLOB NOT NULL PRIMARY KEY,
      user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX ended_logins_by_user ON ended_logins (user_id);
    CREATE TABLE audit (
      id INTEGER PRIMARY KEY,
      user_id INTEGER NOT NULL,
      username TEXT NOT NULL,
      action TEXT NOT NULL,
      target TEXT NOT NULL,
      address BLOB,
      request_id INTEGER NOT NULL,
      times INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE usage_days (
      day INTEGER NOT NULL,
      user_id INTEGER NOT NULL,
      token_id INTEGER NOT NULL,
      model_id INTEGER NOT NULL,
      requests INTEGER NOT NULL,
      failures INTEGER NOT NULL,
      prompt_tokens INTEGER NOT NULL,
      completion_tokens INTEGER NOT NULL,
      cached_tokens INTEGER NOT NULL,
      charge INTEGER NOT NULL,
      PRIMARY KEY (day, user_id, token_id, model_id)
    ) STRICT, WITHOUT ROWID;
    """
}
