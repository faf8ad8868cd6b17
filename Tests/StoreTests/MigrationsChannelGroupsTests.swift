// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

/// Step 2 over databases that step 1 left.
struct MigrationsChannelGroupsTests {
  /// A database as step 1 leaves it, still empty.
  private func bare(_ folder: TemporaryFolder) throws -> Database {
    let database = try folder.open()
    try database.execute(
      """
      DROP TABLE sessions; DROP TABLE management_tokens; DROP TABLE ended_logins;
      DROP TABLE audit; DROP TABLE usage_days; DROP TABLE prices; DROP TABLE redemptions;
      DROP TABLE channel_groups; DROP TABLE user_groups; DROP TABLE tokens; DROP TABLE users;
      DROP TABLE usage; DROP TABLE channels; DROP TABLE options; DROP TABLE models;
      DROP TABLE logs; DROP TABLE channel_hours; PRAGMA user_version = 0
      """)
    try Migrations.run(on: database, steps: [Migrations.all[0]])
    return database
  }

  /// Opens a database of step 1 with these rows.
  ///
  /// `groups`: the lists of channels; `tokens`: the groups of tokens, all of one user;
  /// `users`: the user groups of further users.
  private func migrated(
    groups: [String] = [], tokens: [String] = [], users: [String] = []
  ) throws -> Database {
    let folder = TemporaryFolder()
    let old = try bare(folder)
    func insert(_ row: String) throws {
      try old.execute(ByteString(utf8: "INSERT INTO " + row))
    }
    for (index, group) in (["default"] + users).enumerated() {
      try insert(
        "users VALUES (\(index + 1), 'u\(index)', '', 1, '\(group)', 9, 1, 0, 5, 0)")
    }
    for (index, list) in groups.enumerated() {
      try insert(
        """
        channels VALUES (\(index + 1), 'c', 'openai', '', x'6B', 'm', '', '\(list)', 90, 3, 1, '',
          1, 2, 3, 'A: b', '{}', 5)
        """)
    }
    for (index, group) in tokens.enumerated() {
      try insert(
        """
        tokens VALUES (\(index + 1), 1, 't', randomblob(32), '', NULL, NULL, 0, '', '', '\(group)',
          0, 0, 1, 5)
        """)
    }
    try old.close()
    let database = try folder.open()
    #expect(database.migratedFrom == 1)
    #expect(folder.has("db.db.before-2"))
    return database
  }

  private func names(_ database: Database) throws -> [ByteString] {
    try ChannelGroupTable.all(in: database).map(\.name)
  }

  @Test func makesARowOfEachNameInUse() throws {
    let database = try migrated(
      groups: ["default", "vip,default, cheap", "x", ",,"], tokens: ["", "only-token", "vip"])
    #expect(try names(database) == ["default", "cheap", "only-token", "vip", "x"])
    for group in try ChannelGroupTable.all(in: database) {
      #expect(group.strategy == .weightedRoundRobin && group.retries == nil && !group.isSticky)
      #expect(group.retryIntervalMilliseconds == nil && group.fallbackChannels.isEmpty)
    }
  }

  @Test func keepsNamesOfAnyCharacter() throws {
    let database = try migrated(groups: ["所有 人,naïve", "a''b"], tokens: ["O''Neill"])
    #expect(
      Set(try names(database)) == ["default", "所有 人", "naïve", "a'b", "O'Neill"])
  }

  @Test func makesTheDefaultGroupsOfAnEmptyDatabase() throws {
    let database = try migrated()
    #expect(try names(database) == ["default"])
    #expect(try UserGroupTable.all(in: database).map(\.channelGroups) == ["default"])
  }

  @Test func mapsUserGroupsToThemselvesOrToTheDefault() throws {
    let database = try migrated(groups: ["vip"], users: ["vip", "guests", "vip"])
    let groups = try UserGroupTable.all(in: database)
    #expect(groups.map(\.name) == ["default", "guests", "vip"])
    #expect(groups.map(\.channelGroups) == ["default", "default", "vip"])
  }

  @Test func leavesWhatWasThere() throws {
    let database = try migrated(groups: ["a,b"], tokens: ["a"], users: ["a"])
    let channel = try #require(try ChannelTable.find(1, in: database))
    #expect(channel.groups == "a,b" && channel.keys == "k" && channel.weight == 90)
    #expect(channel.priority == 3 && channel.headers == "A: b" && channel.config == "{}")
    #expect(channel.idleTimeoutMilliseconds == 3 && channel.createdAt == 5)
    #expect(channel.maxConcurrency == 0 && channel.location == .automatic)
    #expect(channel.wakeMAC.isEmpty && channel.wakeBroadcast.isEmpty)
    #expect(channel.wakeTimeoutMilliseconds == 0 && channel.wakePolicy == .hold)
    #expect(try TokenTable.find(1, in: database)?.channelGroup == "a")
    #expect(try UserTable.find(2, in: database)?.userGroup == "a")
  }
}
