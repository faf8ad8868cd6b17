// SPDX-License-Identifier: MIT
import Platform
import Store

/// The account that everything begins with.
enum RootAccount {
  static let username: ByteString = "root"

  /// Makes the account `root` where no account exists.
  ///
  /// Its password is `initial_root_password`, else the public default; both must be changed.
  /// The default is stored with one round: what everybody knows needs no protection, and a slow
  /// board starts seconds earlier. A new password always gets all rounds.
  static func ensure(
    in database: Database, configuration: Configuration
  ) throws(StoreError) {
    let isNew = try UserTable.list(Store.Page(number: 1, size: 1), in: database).total == 0
    guard isNew else { return }
    let given = configuration.initialRootPassword
    let hash =
      given.isEmpty
      ? Password.hash(Password.first, rounds: 1)
      : Password.hash(given, rounds: try PasswordCost.rounds(configuration, in: database))
    let root = UserRecord(
      username: username, passwordHash: hash, role: .root, mustChangePassword: true,
      createdAt: UnixTime.seconds)
    _ = try database.transaction { () throws(StoreError) in
      try UserTable.insert(root, in: database)
    }
  }
}
