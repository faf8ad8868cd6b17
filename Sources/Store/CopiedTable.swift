// SPDX-License-Identifier: MIT
import Platform

/// One table on its way from a database to another of the same schema, row by row.
///
/// Names of tables and columns are those of our own schema, which migrations made; whatever else
/// the other file holds is never looked at, and no trigger or view of it runs.
struct CopiedTable {
  /// Why a copy failed, and on which side.
  enum Failure: Error {
    case source(StoreError)
    case target(StoreError)
  }

  let name: ByteString
  let columns: [ByteString]

  /// All tables of a database of ours, in the order in which they were made.
  static func all(in database: Database) throws(StoreError) -> [CopiedTable] {
    let names = try database.all(
      """
      SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
      ORDER BY rowid
      """
    ) { $0.bytes() }
    var tables: [CopiedTable] = []
    for name in names {
      let columns = try database.all(
        "SELECT name FROM pragma_table_info(?1) ORDER BY cid", { $0.bind(text: name) },
        { $0.bytes() })
      tables.append(CopiedTable(name: name, columns: columns))
    }
    return tables
  }

  /// Whether rows are records of what happened, without which everything goes on to work.
  var isRecord: Bool {
    name == "logs" || name == "audit" || name == "usage_days" || name == "channel_hours"
  }

  /// Whether rows may live in memory: records, and the names that only they refer to.
  var isHistory: Bool { isRecord || name == "models" }

  /// Whether rows are logins: these stay on the device where they were made.
  var isLogin: Bool { name == "sessions" || name == "ended_logins" }

  /// Whether a file has a true table of that name: no view, nothing virtual.
  func isPresent(in source: Database) throws(StoreError) -> Bool {
    try source.first(
      "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 AND rootpage > 0",
      { $0.bind(text: name) }, { _ in true }) ?? false
  }

  /// Deletes all rows; ids that were given out stay used.
  func deleteRows(in database: Database) throws(StoreError) {
    try database.execute("DELETE FROM " + CopiedTable.quoted(name))
  }

  /// Adds all rows of the source to the target, within the target's transaction.
  func copy(from source: Database, to target: Database) throws(Failure) {
    let list = Buffer()
    let marks = Buffer()
    for (index, column) in columns.enumerated() {
      if index > 0 {
        list.append(", ")
        marks.append(", ")
      }
      list.append(CopiedTable.quoted(column))
      marks.append("?")
    }
    let (table, names) = (CopiedTable.quoted(name), list.byteString)
    try target.insertRows(
      "INSERT INTO " + table + " (" + names + ") VALUES (" + marks.byteString + ")",
      from: "SELECT " + names + " FROM " + table, of: source)
    try copySequence(from: source, to: target)
  }

  /// Raises the largest id that was given out to the source's, so that none comes back.
  private func copySequence(from source: Database, to target: Database) throws(Failure) {
    let last = try reading { () throws(StoreError) -> Int64? in
      guard
        try CopiedTable(name: "sqlite_sequence", columns: []).isPresent(in: source)
      else { return nil }
      return try source.first(
        "SELECT seq FROM sqlite_sequence WHERE name = ?1 AND typeof(seq) = 'integer'",
        { $0.bind(text: name) }, { $0.integer() })
    }
    guard let last, (1...CopiedTable.largestID).contains(last) else { return }
    try writing { () throws(StoreError) in
      let isKnown = try target.run(
        "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = ?2"
      ) { $0.bind(last).bind(text: name) }
      guard isKnown == 0 else { return }
      try target.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)") {
        $0.bind(text: name).bind(last)
      }
    }
  }

  // What is plausible.

  /// Ids and counts end here: sums of many of them do not overflow.
  static let largestID: Int64 = 1 << 53
  private static let largestCharge: Int64 = 1 << 62
  /// -1 stands for "not set" in some columns; only priorities go below.
  private static let leastPriority: Int64 = -1_000_000

  /// The name of a column that has a number outside what this program writes; nil for none.
  func implausibleColumn(in database: Database) throws(StoreError) -> ByteString? {
    let numbers = try database.all(
      "SELECT name FROM pragma_table_info(?1) WHERE type = 'INTEGER'", { $0.bind(text: name) },
      { $0.bytes() })
    // All at once first: the log is long, and it is read but once when nothing is wrong.
    guard try hasImplausible(numbers, in: database) else { return nil }
    for column in numbers where try hasImplausible([column], in: database) { return column }
    return nil
  }

  private func hasImplausible(
    _ columns: [ByteString], in database: Database
  ) throws(StoreError) -> Bool {
    guard !columns.isEmpty else { return false }
    let condition = Buffer()
    for (index, column) in columns.enumerated() {
      let quoted = CopiedTable.quoted(column)
      if index > 0 { condition.append(" OR ") }
      condition.append(quoted + " < ? OR " + quoted + " > ?")
    }
    return try database.hasRow(
      "SELECT 1 FROM " + CopiedTable.quoted(name) + " WHERE " + condition.byteString + " LIMIT 1"
    ) {
      for column in columns {
        $0.bind(column == "priority" ? CopiedTable.leastPriority : -1)
        $0.bind(column == "used_micro" ? CopiedTable.largestCharge : CopiedTable.largestID)
      }
    }
  }

  // Text and sides.

  private static func quoted(_ name: ByteString) -> ByteString { "\"" + name + "\"" }

  private func reading<R>(_ body: () throws(StoreError) -> R) throws(Failure) -> R {
    do throws(StoreError) { return try body() } catch { throw .source(error) }
  }

  private func writing<R>(_ body: () throws(StoreError) -> R) throws(Failure) -> R {
    do throws(StoreError) { return try body() } catch { throw .target(error) }
  }
}
