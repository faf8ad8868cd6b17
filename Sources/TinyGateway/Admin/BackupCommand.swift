// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Store

/// `tinygateway backup FILE` and `tinygateway restore FILE`: as the management calls.
///
/// For who can write the data directory; the gateway must be stopped, since it owns the database.
struct BackupCommand {
  private static let passphraseFileByteLimit = 1024

  let configuration: Configuration
  let file: ByteString
  let passphraseFile: ByteString?

  /// Writes a backup to a new file and tells its size.
  func backup(withRecords: Bool) throws(StartError) {
    guard File.exists(configuration.path("db.db")) else {
      throw StartError(
        "there is no database in " + configuration.dataDirectory
          + ": name its place with --data-dir")
    }
    let passphrase = try passphrase()
    let database = try database()
    var key: BackupKey?
    if let passphrase {
      key = BackupFiles.key(
        of: try secrets(of: database), passphrase: passphrase, rounds: try rounds(in: database))
      guard key != nil else { throw StartError("there are no random numbers yet: try again") }
    }
    do throws(StoreError) {
      try BackupFiles.write(database, to: file, withRecords: withRecords, key: key)
      try database.close()
    } catch { throw StartError(file + ": " + error.sentence) }
    do throws(SystemError) {
      try File.sync(file)
    } catch { throw StartError(file + ": " + ByteString(utf8: error.text)) }
    let size = file.withCString { cp_file_size($0) }
    ProcessContext.write(
      "The backup " + file + " is complete, " + ByteString(number: size / 1024 + 1) + " KiB.\n",
      to: 1)
  }

  /// Replaces everything by the backup and tells what needs attention.
  func restore() throws(StartError) {
    guard File.exists(file) else { throw StartError(file + " does not exist or cannot be read") }
    let passphrase = try passphrase()
    let isFirst = !File.exists(configuration.path("db.db"))
    var database: Database?
    do throws(StoreError) {
      database = try openDatabase()
    } catch {
      // What is damaged is what a restore is for.
      guard error.kind == .corrupt else { throw StartError(error.sentence) }
    }
    let secrets = try secrets(of: database)
    let state: RestoredState
    var kept = isFirst ? ByteString.empty : ByteString("db.db") + ByteString(Restore.keptSuffix)
    do throws(Restore.Failure) {
      var other: ChannelSecrets?
      if let key = try Restore.check(file), let passphrase {
        other = BackupFiles.secrets(of: key, passphrase: passphrase)
        guard other != nil else {
          throw .invalid("the passphrase is not that of this backup; nothing was changed")
        }
      }
      if let database {
        state = try RestoredState.restore(
          file, to: database, secrets: secrets, other: other,
          audit: AuditNote("restore", "command restore").filling(Recovery.blankAuditRow),
          keepsOld: !isFirst)
      } else {
        let recovery = Recovery(configuration, log: Log(level: .error))
        (state, kept) = try recovery.restore(file, secrets: secrets, other: other)
      }
    } catch {
      switch error {
      case .invalid(let sentence): throw StartError(file + ": " + sentence)
      case .storage(let error): throw StartError(error.sentence)
      }
    }
    do throws(StoreError) { try database?.close() } catch { throw StartError(error.sentence) }
    tell(state, secrets, kept)
  }

  private func tell(_ state: RestoredState, _ secrets: ChannelSecrets, _ kept: ByteString) {
    let text = Buffer()
    text.append("Restored: ")
    AdminText.append(state.snapshot.users.count, "user", to: text)
    text.append(", ")
    AdminText.append(state.snapshot.tokens.count, "token", to: text)
    text.append(", ")
    AdminText.append(state.snapshot.channels.count, "channel", to: text)
    text.append(", ")
    AdminText.append(state.snapshot.managementTokens.count, "management token", to: text)
    if !kept.isEmpty {
      text.append(". What was there is kept as ")
      text.append(kept)
    }
    text.append(".\n")
    for record in state.snapshot.channels where ChannelSecrets.isLocked(secrets.opened(record)) {
      text.append("Channel ")
      text.append(decimal: record.id)
      text.append(" ")
      text.append(AdminText.quoted(record.name))
      text.append(" is off: its keys were encrypted with another secret.key; enter them again.\n")
    }
    ProcessContext.write(text.byteString, to: 1)
  }

  // What both need.

  /// The first line of the file; nil without a file.
  private func passphrase() throws(StartError) -> ByteString? {
    guard let passphraseFile else { return nil }
    let content: ByteString
    do throws(SystemError) {
      content = try File.read(passphraseFile, limit: BackupCommand.passphraseFileByteLimit)
    } catch {
      throw StartError(passphraseFile + " cannot be read: " + ByteString(utf8: error.text))
    }
    let line = ByteString(Array(content.bytes.prefix { $0 != 0x0A && $0 != 0x0D }))
    guard BackupFiles.passphraseByteCounts.contains(line.count) else {
      throw StartError(passphraseFile + " must hold a passphrase of 12 to 128 bytes")
    }
    return line
  }

  private func database() throws(StartError) -> Database {
    do throws(StoreError) { return try openDatabase() } catch { throw StartError(error.sentence) }
  }

  private func openDatabase() throws(StoreError) -> Database {
    let database = try Database(
      path: configuration.path("db.db"), settings: configuration.storage)
    BackupFiles.removeLeftovers(configuration)
    return database
  }

  private func rounds(in database: Database) throws(StartError) -> Int {
    do throws(StoreError) {
      return try PasswordCost.rounds(configuration, in: database)
    } catch { throw StartError(error.sentence) }
  }

  private func secrets(of database: Database?) throws(StartError) -> ChannelSecrets {
    var records: [ChannelRecord] = []
    do throws(StoreError) {
      if let database { records = try ChannelTable.all(in: database) }
    } catch { throw StartError(error.sentence) }
    return try ChannelSecrets(
      path: configuration.path(ChannelSecrets.fileName), for: records, log: Log(level: .error))
  }
}
