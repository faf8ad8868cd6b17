// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Store

/// What is in the data directory before an import, as far as it matters.
struct ImportTarget {
  /// An account that exists.
  struct Account {
    let id: Int64
    let name: ByteString
    let role: UserRole
    let group: ByteString
  }

  private(set) var accounts: [Account] = []
  private(set) var root: Account?
  private(set) var tokenHashes: Set<ByteString> = []
  private(set) var channelNames: Set<ByteString> = []
  private(set) var channelGroups: Set<ByteString> = []
  private(set) var userGroups: [ImportedUserGroup] = []
  private(set) var pricedModels: Set<ByteString> = []
  private(set) var redemptionHashes: Set<ByteString> = []
  private(set) var hasSettings = false

  /// A data directory in which no gateway has been started yet.
  init() {
    let root = Account(
      id: 0, name: RootAccount.username, role: .root, group: UserGroupDirectory.standard)
    self.root = root
    accounts = [root]
    channelGroups = [ChannelGroupDirectory.standard]
    userGroups = [
      ImportedUserGroup(
        name: UserGroupDirectory.standard, channelGroups: ChannelGroupDirectory.standard)
    ]
  }

  /// Reads what is there.
  init(from database: Database) throws(StoreError) {
    for user in try UserTable.all(in: database) {
      let account = Account(
        id: user.id, name: user.username, role: user.role, group: user.userGroup)
      accounts.append(account)
      if user.role == .root, root == nil { root = account }
    }
    tokenHashes = Set(try TokenTable.all(in: database).map { $0.keyHash })
    channelNames = Set(try ChannelTable.all(in: database).map { $0.name })
    channelGroups = Set(try ChannelGroupTable.all(in: database).map { $0.name })
    userGroups = try ImportTable.userGroups(in: database)
    pricedModels = Set(try ImportTable.pricedModels(in: database))
    redemptionHashes = Set(try ImportTable.redemptionHashes(in: database))
    hasSettings = try OptionTable.value(OptionInput.optionName, in: database) != nil
  }

  /// Reads what is there without writing anything, for `--dry-run`.
  static func withoutWriting(
    _ configuration: Configuration
  ) throws(StartError) -> ImportTarget {
    let path = configuration.path("db.db")
    guard File.exists(path) else { return ImportTarget() }
    guard !File.exists(path + "-wal") else {
      throw StartError(
        path,
        " is in use, or its gateway was not stopped cleanly: stop it, or start and stop it once")
    }
    let database = try ImportFile.open(path)
    do throws(StoreError) {
      return try ImportTarget(from: database)
    } catch {
      throw StartError(
        path, " cannot be looked at (", error.message,
        "): stop its gateway; start and stop it once if its version was older")
    }
  }
}
