// SPDX-License-Identifier: MIT
import Platform

/// One row of another program's table: columns are found by name, whatever is in them.
package struct ForeignRow {
  private let row: Statement

  fileprivate init(_ row: Statement) { self.row = row }

  /// A copy of a column's text or blob; empty for NULL and for a column that is missing.
  @inline(never)
  package func text(_ column: StaticString) -> ByteString {
    row.column(column).map { row.seek($0).bytes() } ?? .empty
  }

  /// A whole number, also one that is spelt as text; nil for anything else.
  @inline(never)
  package func integer(_ column: StaticString) -> Int64? {
    guard let index = row.column(column), !row.seek(index).isNull else { return nil }
    if row.seek(index).isInteger { return row.integer() }
    let text = row.seek(index).bytes().trimmed
    guard text.starts(with: "-") else { return text.decimal }
    return ByteString(Array(text.bytes.dropFirst())).decimal.map { -$0 }
  }

  /// A yes or no as number or text; no for anything else.
  @inline(never)
  package func isTrue(_ column: StaticString) -> Bool {
    integer(column).map { $0 != 0 } ?? (text(column).lowercased == "true")
  }

  /// Whether the column is there and holds something else than NULL.
  @inline(never)
  package func has(_ column: StaticString) -> Bool {
    row.column(column).map { !row.seek($0).isNull } ?? false
  }
}

/// Tables of One API and New API, as far as something is taken over from them.
package enum ForeignTable {
  /// Most rows of one table that are read.
  package static let rowLimit: Int64 = 100_000

  /// Whether the database has a table of that name; views and virtual tables are none.
  package static func exists(
    _ table: StaticString, in database: Database
  ) throws(StoreError) -> Bool {
    try count(
      """
      SELECT count(*) FROM sqlite_master
      WHERE type = 'table' AND name = ?1 AND sql NOT LIKE 'CREATE VIRTUAL%'
      """, in: database
    ) { $0.bind(text: ByteString(table)) } > 0
  }

  /// Whether a table has a column of that name.
  package static func has(
    column: StaticString, in table: StaticString, of database: Database
  ) throws(StoreError) -> Bool {
    try count("SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2", in: database) {
      $0.bind(text: ByteString(table)).bind(text: ByteString(column))
    } > 0
  }

  private static func count(
    _ sql: StaticString, in database: Database, _ bind: (Statement) -> Void
  ) throws(StoreError) -> Int64 {
    try database.first(sql, bind) { $0.integer() } ?? 0
  }

  /// Calls `read` with each user by id.
  package static func users(
    in database: Database, _ read: (ForeignRow) -> Void
  ) throws(StoreError) {
    try each("SELECT * FROM users ORDER BY 1 LIMIT ?1", in: database, read)
  }

  /// Calls `read` with each token by id.
  package static func tokens(
    in database: Database, _ read: (ForeignRow) -> Void
  ) throws(StoreError) {
    try each("SELECT * FROM tokens ORDER BY 1 LIMIT ?1", in: database, read)
  }

  /// Calls `read` with each channel by id.
  package static func channels(
    in database: Database, _ read: (ForeignRow) -> Void
  ) throws(StoreError) {
    try each("SELECT * FROM channels ORDER BY 1 LIMIT ?1", in: database, read)
  }

  /// Calls `read` with each redemption code by id.
  package static func redemptions(
    in database: Database, _ read: (ForeignRow) -> Void
  ) throws(StoreError) {
    try each("SELECT * FROM redemptions ORDER BY 1 LIMIT ?1", in: database, read)
  }

  /// The names of all options by name.
  package static func optionNames(in database: Database) throws(StoreError) -> [ByteString] {
    var names: [ByteString] = []
    try each("SELECT key FROM options ORDER BY 1 LIMIT ?1", in: database) {
      names.append($0.text("key"))
    }
    return names
  }

  /// The value of an option; nil when it is not stored.
  package static func option(
    _ name: StaticString, in database: Database
  ) throws(StoreError) -> ByteString? {
    try database.first(
      "SELECT value FROM options WHERE key = ?1", { $0.bind(text: ByteString(name)) },
      { $0.bytes() })
  }

  /// Throws `.full` when there are more rows than the limit.
  private static func each(
    _ sql: StaticString, in database: Database, _ read: (ForeignRow) -> Void
  ) throws(StoreError) {
    var count: Int64 = 0
    try database.each(
      sql, { $0.bind(rowLimit + 1) },
      { row in
        count += 1
        if count <= rowLimit { read(ForeignRow(row)) }
      })
    if count > rowLimit {
      throw StoreError(.full, message: "a table has more than 100000 rows")
    }
  }
}
