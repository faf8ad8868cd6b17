// SPDX-License-Identifier: MIT
import Platform

/// A model's name, so that log rows hold a small number.
package struct ModelRecord: Sendable {
  package let id: Int64
  package let name: ByteString
}

/// Queries of the table `models`; names are only ever added.
package enum ModelTable {
  /// Adds a name under an id that `WriteBatch` chose; a known one stays as it is.
  static func insert(_ model: ModelRecord, in database: Database) throws(StoreError) {
    try database.run("INSERT OR IGNORE INTO models (id, name) VALUES (?1, ?2)") {
      $0.bind(model.id).bind(text: model.name)
    }
  }

  /// All names by id.
  package static func all(in database: Database) throws(StoreError) -> [ModelRecord] {
    try database.all("SELECT id, name FROM models ORDER BY id") {
      ModelRecord(id: $0.integer(), name: $0.bytes())
    }
  }
}
