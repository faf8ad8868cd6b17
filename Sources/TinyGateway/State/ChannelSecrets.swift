// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Store
import Vendors

/// Encrypts what is secret of a channel before it is stored: its keys, and values of headers and
/// settings whose names say so.
///
/// AES-256-GCM under a key that lies in a file of its own beside the database, so that a copy of
/// the database alone gives nothing away. The stored form is `sealed1$` and base64; a value
/// without this prefix is plain, from before, and is encrypted when the channel is next written.
///
/// Records in memory are plain. What could not be decrypted stays there as it is stored, and the
/// channel is *locked*: off, with a reason, until the key file is back or the secrets are entered
/// again. The lock itself is never stored. Loop's thread only.
struct ChannelSecrets {
  static let fileName: StaticString = "secret.key"

  /// Shown with a locked channel.
  static let reason: ByteString =
    """
    Its keys, secret headers or secret settings cannot be decrypted with secret.key: restore this \
    file from a backup and restart, or enter them again.
    """

  private static let prefix: StaticString = "sealed1$"
  /// The rows' ids are not known when they are inserted, so the label is the column's.
  private static let keysLabel: ByteString = "tinygateway channel keys"
  private static let headerLabel: ByteString = "tinygateway channel header"
  private static let configLabel: ByteString = "tinygateway channel config"
  private static let fileByteLimit = 1024

  private let key: ByteString
  private let path: ByteString

  // The key file.

  /// Reads the key, or makes it where the file is missing.
  ///
  /// `records`: as they are stored, to tell a first start from a lost file.
  /// Throws when the file is there but cannot be used, or cannot be made.
  init(path: ByteString, for records: [ChannelRecord], log: Log) throws(StartError) {
    self.path = path
    if let known = try ChannelSecrets.read(path) {
      key = known
      return
    }
    key = Random.bytes(SealedBytes.keyByteCount)
    do throws(SystemError) {
      try File.writeDurably(Digest.hex(key) + "\n", to: path)
    } catch {
      throw StartError(
        "\(path.text), the key for channel keys, cannot be written: \(error.text)")
    }
    if records.contains(where: ChannelSecrets.isLocked) {
      log.warn("\(path.text) is missing although keys are encrypted with it; made a new one")
    }
  }

  /// The key of the file; nil when there is no file.
  private static func read(_ path: ByteString) throws(StartError) -> ByteString? {
    let content: ByteString
    do throws(SystemError) {
      content = try File.read(path, limit: fileByteLimit)
    } catch {
      if error.number == cp_enoent { return nil }
      throw StartError(
        "\(path.text), the key for channel keys, cannot be read: \(error.text); give it to this "
          + "user, or restore it from a backup")
    }
    let digits = ByteString(Array(content.bytes.prefix { $0 > 0x20 }))
    let rest = content.bytes.dropFirst(digits.count)
    guard rest.allSatisfy({ $0 <= 0x20 }), let key = Digest.unhex(digits),
      key.count == SealedBytes.keyByteCount
    else {
      throw StartError(
        "\(path.text) does not hold the key for channel keys (64 hexadecimal digits): restore it "
          + "from a backup, or move it away and enter the keys of all channels again")
    }
    return key
  }

  // Records.

  /// The records as they are used, from those that are stored.
  ///
  /// One line of the log names the channels that are locked.
  func opened(_ records: [ChannelRecord], log: Log) -> [ChannelRecord] {
    let opened = records.map(opened)
    let locked = opened.filter(ChannelSecrets.isLocked)
    if !locked.isEmpty {
      log.write(.error) { line in
        line.append("channels are off because their keys cannot be decrypted with ")
        line.append(path)
        line.append(": restore this file from a backup and restart, or enter their keys again;")
        line.append(" channels=")
        for (index, record) in locked.enumerated() {
          if index > 0 { line.append(UInt8(ascii: ",")) }
          line.append(decimal: record.id)
        }
      }
    }
    return opened
  }

  /// The record as it is used, locked when its secrets cannot be decrypted.
  func opened(_ record: ChannelRecord) -> ChannelRecord {
    var record = record
    record.keys = opened(record.keys, ChannelSecrets.keysLabel)
    record.headers = ChannelSecrets.mapHeaders(record.headers) { _, value in
      opened(value, ChannelSecrets.headerLabel)
    }
    record.config = ChannelConfig.map(record.config) { _, value in
      opened(value, ChannelSecrets.configLabel)
    }
    return ChannelSecrets.settled(record)
  }

  /// The record as it is stored; nil when there are no random bytes, and then nothing may be
  /// written.
  func sealed(_ record: ChannelRecord) -> ChannelRecord? {
    var record = ChannelSecrets.withoutLock(record)
    guard let keys = sealed(record.keys, ChannelSecrets.keysLabel) else { return nil }
    record.keys = keys
    var isComplete = true
    func sealedIfSecret(
      _ name: ByteString, _ value: ByteString, _ label: ByteString
    ) -> ByteString {
      guard VendorField.isSecret(name) else { return value }
      guard let sealed = sealed(value, label) else {
        isComplete = false
        return value
      }
      return sealed
    }
    record.headers = ChannelSecrets.mapHeaders(record.headers) { name, value in
      sealedIfSecret(name, value, ChannelSecrets.headerLabel)
    }
    record.config = ChannelConfig.map(record.config) { name, value in
      sealedIfSecret(name, value, ChannelSecrets.configLabel)
    }
    return isComplete ? record : nil
  }

  private func opened(_ value: ByteString, _ label: ByteString) -> ByteString {
    guard ChannelSecrets.isSealed(value) else { return value }
    let text = ByteString(Array(value.bytes.dropFirst(ChannelSecrets.prefix.utf8CodeUnitCount)))
    guard let sealed = Digest.unbase64(text) else { return value }
    return SealedBytes.open(sealed, key: key, label: label) ?? value
  }

  /// An encrypted value, which nobody could decrypt, stays as it is.
  private func sealed(_ value: ByteString, _ label: ByteString) -> ByteString? {
    guard !value.isEmpty, !ChannelSecrets.isSealed(value) else { return value }
    guard let sealed = SealedBytes.seal(value, key: key, label: label) else { return nil }
    return ByteString(ChannelSecrets.prefix) + Digest.base64(sealed)
  }

  /// Puts other values into header lines; what is no header line stays.
  private static func mapHeaders(
    _ headers: ByteString, _ change: (ByteString, ByteString) -> ByteString
  ) -> ByteString {
    let lines = headers.list(separatedBy: 0x0A).map { line in
      guard let (name, value) = line.split(at: UInt8(ascii: ":")) else { return line }
      return name + ": " + change(name, value.trimmed)
    }
    return AdminText.joined(lines, by: 0x0A)
  }

  // Backups.

  private static let backupLabel: ByteString = "tinygateway backup key"

  /// This device's key for a backup, sealed under another key; nil when there are no random bytes.
  func sealedKey(under other: ByteString) -> ByteString? {
    SealedBytes.seal(key, key: other, label: ChannelSecrets.backupLabel)
  }

  /// The secrets of the device that made a backup; nil when the other key is not the right one.
  init?(sealedKey sealed: ByteString, under other: ByteString) {
    guard let key = SealedBytes.open(sealed, key: other, label: ChannelSecrets.backupLabel),
      key.count == SealedBytes.keyByteCount
    else { return nil }
    self.key = key
    path = .empty
  }

  /// A stored record of another device as this one stores it; nil without random bytes.
  ///
  /// What cannot be opened stays as it is.
  func resealed(_ record: ChannelRecord, from other: ChannelSecrets) -> ChannelRecord? {
    sealed(other.opened(record))
  }

  // The lock.

  /// Whether the value is encrypted; no such value may come from outside.
  static func isSealed(_ value: ByteString) -> Bool { value.starts(with: prefix) }

  /// Whether keys, header values or settings of the record are encrypted.
  static func isLocked(_ record: ChannelRecord) -> Bool {
    isSealed(record.keys) || ChannelInput.headers(of: record).contains { isSealed($0.value) }
      || ChannelConfig.pairs(record.config).contains { isSealed($0.value) }
  }

  /// The record with the lock set or taken away, as its secrets demand.
  static func settled(_ record: ChannelRecord) -> ChannelRecord {
    var record = withoutLock(record)
    guard isLocked(record) else { return record }
    if record.status == .enabled { record.status = .autoDisabled }
    record.statusReason = reason
    return record
  }

  private static func withoutLock(_ record: ChannelRecord) -> ChannelRecord {
    guard record.statusReason == reason else { return record }
    var record = record
    if record.status == .autoDisabled { record.status = .enabled }
    record.statusReason = .empty
    return record
  }
}
