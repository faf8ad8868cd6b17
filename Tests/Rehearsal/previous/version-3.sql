-- SPDX-License-Identifier: MIT
-- A database of version 3 of the schema, as it was written then; walk_operator.py opens it.
-- key: sk-anZDdd9bJ3fWTNyPRc9Gmo8GivfWPTa3n6TCsoFV88wHbZWy
-- secret.key: 653238616662396530346661376637336639313163346637316161653662353265336139393666303031393932646136393930386131613237663533643864630a
BEGIN TRANSACTION;
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
INSERT INTO "audit" VALUES(117681883709440,1,'root','login','',X'7F000001',117681883750046,1);
INSERT INTO "audit" VALUES(117681883709441,1,'root','password_change','',X'7F000001',117681883750047,1);
INSERT INTO "audit" VALUES(117681883709442,1,'root','channel_group_create','channel group 2 fast',X'7F000001',117681883750048,1);
INSERT INTO "audit" VALUES(117681883709443,1,'root','user_group_create','user group 2 staff',X'7F000001',117681883750049,1);
INSERT INTO "audit" VALUES(117681883709444,1,'root','price_create','price 1 qwen-max',X'7F000001',117681883750050,1);
INSERT INTO "audit" VALUES(117681883774976,1,'root','user_create','user 2 li.na',X'7F000001',117681883750051,1);
INSERT INTO "audit" VALUES(117681883774977,1,'root','channel_create','channel 1 Qwen',X'7F000001',117681883815588,1);
INSERT INTO "audit" VALUES(117681883774978,1,'root','token_create','token 1 laptop',X'7F000001',117681883815589,1);
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
INSERT INTO "channel_groups" VALUES(1,'default',1,-1,-1,'',0,1795683040);
INSERT INTO "channel_groups" VALUES(2,'fast',5,-1,-1,'',0,1795683040);
CREATE TABLE channel_hours (
  hour INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  successes INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  latency_sum INTEGER NOT NULL,
  first_byte_sum INTEGER NOT NULL,
  detail BLOB NOT NULL,
  PRIMARY KEY (hour, channel_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "channel_hours" VALUES(498800,1,1,1,30,70,0,0,X'00010001010001');
CREATE TABLE channels (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  base_url TEXT NOT NULL,
  keys BLOB NOT NULL,
  models TEXT NOT NULL,
  model_mapping TEXT NOT NULL,
  groups TEXT NOT NULL,
  weight INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  status INTEGER NOT NULL,
  status_reason TEXT NOT NULL,
  connect_timeout_ms INTEGER NOT NULL,
  first_byte_timeout_ms INTEGER NOT NULL,
  idle_timeout_ms INTEGER NOT NULL,
  headers TEXT NOT NULL,
  config TEXT NOT NULL,
  created_at INTEGER NOT NULL
, max_concurrency INTEGER NOT NULL DEFAULT 0, location INTEGER NOT NULL DEFAULT 0, wake_mac TEXT NOT NULL DEFAULT '', wake_broadcast TEXT NOT NULL DEFAULT '', wake_timeout_ms INTEGER NOT NULL DEFAULT 0, wake_policy INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "channels" VALUES(1,'Qwen','openai-compatible','http://UPSTREAM/qwen/v1',X'7365616C6564312478344631763356337973307961456D5463777837644F4D43786F74666349756161516B4B5A55674943783364386F5771586E325041484F6961537652','qwen-max','','default,fast',1,0,1,'',0,0,0,'','',1795683041,0,0,'','',0,0);
CREATE TABLE ended_logins (
  jti BLOB NOT NULL PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE logs (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL,
  token_id INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  model_id INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  charge INTEGER,
  detail BLOB NOT NULL
) STRICT;
INSERT INTO "logs" VALUES(117681883774976,1,1,1,1,30,70,NULL,X'080000CBFA047F000001');
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
CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "models" VALUES(1,'qwen-max');
CREATE TABLE options (
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "options" VALUES('jwt_secret',X'64333131626436393236353137396164316661333365376433336561363061356230363663353235353362306266303930396365353735366432333863616563');
INSERT INTO "options" VALUES('password_rounds',X'343239303030');
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
INSERT INTO "prices" VALUES(1,'qwen-max',1000000,NULL,NULL,NULL,NULL,NULL,1795683040);
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
CREATE TABLE sessions (
  id_hash BLOB NOT NULL PRIMARY KEY CHECK (length(id_hash) = 32),
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  key_hash BLOB NOT NULL UNIQUE CHECK (length(key_hash) = 32),
  key_hint TEXT NOT NULL,
  expires_at INTEGER,
  quota INTEGER,
  quota_period INTEGER NOT NULL,
  allowed_ips TEXT NOT NULL,
  models TEXT NOT NULL,
  channel_group TEXT NOT NULL,
  rpm INTEGER NOT NULL,
  tpm INTEGER NOT NULL,
  status INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO "tokens" VALUES(1,1,'laptop',X'5E1446302B37DD582A08D9579257948EA24BD03BEB119CAC899B1BA90AEA9F70','sk-anZD…bZWy',NULL,100000,0,'','qwen-max','',0,0,1,1795683041);
CREATE TABLE usage (
  owner INTEGER NOT NULL,
  id INTEGER NOT NULL,
  used_micro INTEGER NOT NULL,
  period_start INTEGER NOT NULL,
  accessed_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "usage" VALUES(1,1,100000000,0,1795683041);
INSERT INTO "usage" VALUES(2,1,100000000,0,1795683041);
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
INSERT INTO "usage_days" VALUES(20783,1,1,1,1,0,30,70,0,100000000);
CREATE TABLE user_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  channel_groups TEXT NOT NULL,
  created_at INTEGER NOT NULL
, ratio INTEGER NOT NULL DEFAULT 1000000) STRICT;
INSERT INTO "user_groups" VALUES(1,'default','default',1795683040,1000000);
INSERT INTO "user_groups" VALUES(2,'staff','fast,default',1795683040,1000000);
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  role INTEGER NOT NULL,
  user_group TEXT NOT NULL DEFAULT 'default',
  quota INTEGER,
  status INTEGER NOT NULL,
  must_change_password INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  session_epoch INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO "users" VALUES(1,'root','pbkdf2-sha256$429000$ahcBt+/tuU/FE92ieX8yXw==$Y9k309eL1anTqMZtpwNpmCwMc8ka03NlZGK7Wv8/qlc=',100,'default',NULL,1,0,1795683040,1);
INSERT INTO "users" VALUES(2,'li.na','pbkdf2-sha256$429000$gK23bre/lW4eHeMl+WswaQ==$MIU5temIaow3rFHsdPAA6N5EkI6o4yEtZ+Gup9eJWKI=',1,'staff',1000,1,0,1795683041,1);
CREATE INDEX tokens_by_user ON tokens (user_id);
CREATE INDEX management_tokens_by_user ON management_tokens (user_id);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX ended_logins_by_user ON ended_logins (user_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('channel_groups',2);
INSERT INTO "sqlite_sequence" VALUES('user_groups',2);
INSERT INTO "sqlite_sequence" VALUES('users',2);
INSERT INTO "sqlite_sequence" VALUES('prices',1);
INSERT INTO "sqlite_sequence" VALUES('channels',1);
INSERT INTO "sqlite_sequence" VALUES('tokens',1);
COMMIT;
PRAGMA application_id=1413961521;
PRAGMA user_version=3;
