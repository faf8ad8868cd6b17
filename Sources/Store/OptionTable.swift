// SPDX-License-Identifier: MIT
import Platform

/// One named value that the gateway keeps for itself, such as the secret of its JWTs.
package struct OptionRecord: Sendable {
  package let name: ByteString
  package let value: ByteString
}

/// Queries of the table `options`.
package enum OptionTable {
  /// The option that signs logins; made anew where it is missing, never in a backup.
  package static let loginSecretName: ByteString = "jwt_secret"
  /// Rounds of PBKDF2 that suit the device, measured on it.
  package static let passwordRoundsName: ByteString = "password_rounds"

  /// The value of an option; nil when it was never set.
  package static func value(
    _ name: ByteString, in database: Database
  ) throws(StoreError) -> ByteString? {
    try database.first(
      "SELECT value FROM options WHERE name = ?1", { $0.bind(text: name) }, { $0.bytes() })
  }

  /// Sets an option, new or known.
  package static func set(
    _ name: ByteString, to value: ByteString, in database: Database
  ) throws(StoreError) {
    try database.run("INSERT OR REPLACE INTO options (name, value) VALUES (?1, ?2)") {
      $0.bind(text: name).bind(blob: value)
    }
  }

  /// Forgets an option; one that was never set is no error.
  package static func remove(_ name: ByteString, in database: Database) throws(StoreError) {
    try database.run("DELETE FROM options WHERE name = ?1") { $0.bind(text: name) }
  }

  /// All options by name.
  package static func all(in database: Database) throws(StoreError) -> [OptionRecord] {
    try database.all("SELECT name, value FROM options ORDER BY name") {
      OptionRecord(name: $0.bytes(), value: $0.bytes())
    }
  }
}
