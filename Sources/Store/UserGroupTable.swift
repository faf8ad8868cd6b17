// SPDX-License-Identifier: MIT
import Platform

/// A named set of users: which channel groups they may use, and what they pay of a price.
package struct UserGroupRecord: Sendable {
  package var id: Int64
  package var name: ByteString
  /// Names of channel groups in the order in which they are tried, with commas between them.
  package var channelGroups: ByteString
  /// Unix seconds.
  package var createdAt: Int64
  /// Factor of every charge.
  package var ratio: Ratio

  /// Makes a record; `id` is not for the caller to choose.
  package init(
    id: Int64 = 0, name: ByteString, channelGroups: ByteString = "default", createdAt: Int64 = 0,
    ratio: Ratio = .one
  ) {
    self.id = id
    self.name = name
    self.channelGroups = channelGroups
    self.createdAt = createdAt
    self.ratio = ratio
  }

  /// Reads a row in the schema's order of columns, which only grows at its end.
  fileprivate init(_ row: Statement) {
    id = row.integer()
    name = row.bytes()
    channelGroups = row.bytes()
    createdAt = row.integer(in: StoredRange.times)
    ratio = Ratio(millionths: row.integer())
  }

  /// Binds what an insert and an update write.
  fileprivate func bind(to statement: Statement) {
    statement.bind(text: name).bind(text: channelGroups).bind(createdAt).bind(ratio.millionths)
  }
}

/// Queries of the table `user_groups`.
package enum UserGroupTable {
  /// Adds a group; the new id, or throws `.duplicate` when the name is taken.
  package static func insert(
    _ group: UserGroupRecord, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.insert(
      """
      INSERT INTO user_groups (name, channel_groups, created_at, ratio) VALUES (?1, ?2, ?3, ?4)
      """
    ) { group.bind(to: $0) }
  }

  /// Writes all fields, or throws `.notFound` or `.duplicate`.
  package static func update(
    _ group: UserGroupRecord, in database: Database
  ) throws(StoreError) {
    let changed = try database.run(
      """
      UPDATE user_groups SET name = ?1, channel_groups = ?2, created_at = ?3, ratio = ?4
      WHERE id = ?5
      """
    ) {
      group.bind(to: $0)
      $0.bind(group.id)
    }
    try database.requireChange(changed)
  }

  /// Removes a group, or throws `.notFound`; that nobody is in it is the caller's matter.
  package static func delete(_ id: Int64, in database: Database) throws(StoreError) {
    try database.requireChange(
      try database.run("DELETE FROM user_groups WHERE id = ?1") { $0.bind(id) })
  }

  /// The group with the id; nil when there is none.
  package static func find(
    _ id: Int64, in database: Database
  ) throws(StoreError) -> UserGroupRecord? {
    try database.first(
      "SELECT * FROM user_groups WHERE id = ?1", { $0.bind(id) }, { UserGroupRecord($0) })
  }

  /// All groups by id.
  package static func all(in database: Database) throws(StoreError) -> [UserGroupRecord] {
    try database.all("SELECT * FROM user_groups ORDER BY id") { UserGroupRecord($0) }
  }
}
