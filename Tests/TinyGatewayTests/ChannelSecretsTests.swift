// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Store
import Testing

@testable import TinyGateway

/// Channel secrets on their way to the database and back, and what a lost key file means.
struct ChannelSecretsTests {
  private let directory: TemporaryDirectory
  private let log: Log

  init() throws {
    directory = try TemporaryDirectory()
    log = Log(level: .error, descriptor: -1)
  }

  private static let plain = ChannelRecord(
    id: 7, name: "a", type: "openai", keys: "sk-first-secret\nsk-second-secret",
    headers: "X-Api-Key: header-secret\nX-Plain: seen")

  private func secrets(
    _ name: String = "secret.key", for records: [ChannelRecord] = []
  ) throws(StartError) -> ChannelSecrets {
    let path = ByteString(utf8: directory.path + "/" + name)
    return try ChannelSecrets(path: path, for: records, log: log)
  }

  private func stored(_ record: ChannelRecord = plain) throws -> ChannelRecord {
    try #require(try secrets().sealed(record))
  }

  /// The fields that sealing and the lock may touch.
  private func check(
    _ record: ChannelRecord, is expected: ChannelRecord,
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(record.keys == expected.keys, sourceLocation: location)
    #expect(record.headers == expected.headers, sourceLocation: location)
    #expect(record.status == expected.status, sourceLocation: location)
    #expect(record.statusReason == expected.statusReason, sourceLocation: location)
  }

  private func change(_ text: String, _ old: ChannelRecord) throws(AdminError) -> ChannelRecord {
    let buffer = Buffer()
    buffer.append(text: text)
    return try ChannelInput.apply(
      try AdminBody(buffer, knowing: ChannelInput.fields), to: old, isNew: false,
      known: ChannelGroupDirectory())
  }

  // Sealing.

  @Test func hidesKeysAndSecretHeadersOnly() throws {
    let stored = try stored()
    #expect(stored.keys.starts(with: "sealed1$"))
    #expect(stored.headers.starts(with: "X-Api-Key: sealed1$"))
    #expect(stored.headers.text.hasSuffix("\nX-Plain: seen"))
    for text in [stored.keys.text, stored.headers.text] { #expect(!text.contains("secret")) }
    #expect(stored.name == Self.plain.name)
  }

  @Test func hidesSecretSettings() throws {
    var record = Self.plain
    record.type = "azure"
    record.config = #"{"api_version":"1","account_key":"a \"secret\""}"#
    record.baseURL = "https://a.example"
    let stored = try stored(record)
    #expect(stored.config.text.hasPrefix(#"{"api_version":"1","account_key":"sealed1$"#))
    #expect(!stored.config.text.contains("secret"))
    #expect(try secrets().opened(stored).config == record.config)
    let other = try secrets("other.key", for: [stored])
    let locked = other.opened(stored)
    #expect(locked.status == .autoDisabled && locked.config == stored.config)
    #expect(try RelayFixtures.channel(locked).config["account_key"] == nil)
    #expect(try #require(other.sealed(locked)).config == stored.config)
  }

  @Test func opensWhatItSealedAfterARestart() throws {
    check(try secrets().opened(try stored()), is: Self.plain)
  }

  @Test func sealsUnderANewNonceEachTime() throws {
    #expect(try stored().keys != stored().keys)
  }

  @Test func readsPlainValuesOfAnOlderDatabase() throws {
    check(try secrets().opened(Self.plain), is: Self.plain)
  }

  @Test func leavesAChannelWithoutSecretsAlone() throws {
    var record = Self.plain
    record.keys = ""
    record.headers = "X-Plain: seen"
    check(try stored(record), is: record)
  }

  // The key file.

  @Test func makesAPrivateKeyFileOnce() throws {
    _ = try secrets()
    let content = try directory.read("secret.key")
    #expect(content.utf8.count == 65 && content.hasSuffix("\n"))
    let attributes = try FileManager.default.attributesOfItem(
      atPath: directory.path + "/secret.key")
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    _ = try secrets()
    #expect(try directory.read("secret.key") == content)
  }

  @Test func acceptsAKeyFileFromAnEditor() throws {
    let stored = try stored()
    let content = try directory.read("secret.key").uppercased()
    for ending in ["", "\r\n", "\n\n"] {
      try directory.write(content.trimmingCharacters(in: .newlines) + ending, to: "secret.key")
      check(try secrets().opened(stored), is: Self.plain)
    }
  }

  @Test(arguments: [
    "", "\n", "xyz\n", String(repeating: "a", count: 63), String(repeating: "a", count: 66),
    String(repeating: "g", count: 64), String(repeating: "a", count: 64) + "\nmore",
    String(repeating: "a", count: 5000),
  ])
  func refusesAFileThatHoldsNoKey(_ content: String) throws {
    let path = try directory.write(content, to: "secret.key")
    do throws(StartError) {
      _ = try secrets()
      Issue.record("accepted")
    } catch {
      #expect(error.sentence.text.hasPrefix(path), "\(error.sentence.text)")
      #expect(error.sentence.text.contains("backup"), "\(error.sentence.text)")
    }
    #expect(try directory.read("secret.key") == content)
  }

  @Test func saysWhichFileCannotBeMade() {
    do throws(StartError) {
      _ = try secrets("missing/secret.key")
      Issue.record("accepted")
    } catch {
      #expect(error.sentence.text.contains("missing/secret.key"), "\(error.sentence.text)")
    }
  }

  // The lock.

  /// The channel after its key file was replaced by another.
  private func locked(_ record: ChannelRecord = plain) throws -> (
    stored: ChannelRecord, opened: ChannelRecord, secrets: ChannelSecrets
  ) {
    let stored = try stored(record)
    let other = try secrets("other.key", for: [stored])
    return (stored, other.opened(stored), other)
  }

  @Test func locksAChannelWhoseKeyFileIsLost() throws {
    let (stored, opened, _) = try locked()
    #expect(opened.status == .autoDisabled)
    #expect(opened.statusReason == ChannelSecrets.reason)
    #expect(opened.keys == stored.keys)
    #expect(opened.headers == stored.headers)
  }

  @Test func neverSendsWhatItCouldNotOpen() throws {
    let configuration = try ConfigurationFixture().load().get()
    let channel = try Channel(
      try locked().opened, defaults: configuration.clientTimeouts,
      statistics: ChannelStatistics())
    #expect(channel.keys.isEmpty)
    #expect(channel.headerLines == "X-Plain: seen\r\n")
    #expect(!channel.isEnabled)
  }

  @Test func locksWhenAnythingWasAltered() throws {
    let stored = try stored()
    for keys: ByteString in [
      "sealed1$", "sealed1$AAAA", "sealed1$not base64", stored.keys + "A",
      ByteString(Array(stored.keys.bytes.dropLast(4))),
      // A header's value cannot stand in for the keys.
      ByteString(Array(stored.headers.bytes[11...].prefix { $0 != 0x0A })),
    ] {
      var altered = stored
      altered.keys = keys
      #expect(try secrets().opened(altered).status == .autoDisabled, "\(keys.text)")
    }
  }

  @Test func writesALockedChannelBackAsItWas() throws {
    for status in [ChannelStatus.enabled, .disabled] {
      var record = Self.plain
      record.status = status
      let (stored, opened, other) = try locked(record)
      let edited = try change(#"{"name":"renamed"}"#, opened)
      #expect(edited.statusReason == ChannelSecrets.reason)
      check(try #require(other.sealed(edited)), is: stored)
    }
  }

  @Test func unlocksWithNewSecrets() throws {
    let (_, opened, other) = try locked()
    let half = try change(#"{"keys":["sk-new"]}"#, opened)
    #expect(half.status == .autoDisabled)
    let whole = try change(#"{"headers":{"X-Api-Key":"new"}}"#, half)
    #expect(whole.status == .enabled)
    #expect(whole.statusReason.isEmpty)
    check(other.opened(try #require(other.sealed(whole))), is: whole)
  }

  @Test func unlocksWhenTheFileIsBack() throws {
    let (_, opened, other) = try locked()
    let kept = try #require(other.sealed(try change(#"{"weight":3}"#, opened)))
    check(try secrets().opened(kept), is: Self.plain)
  }

  @Test func keepsASealedHeaderThatComesBackAsItsHint() throws {
    let (stored, opened, _) = try locked()
    let edited = try change(#"{"headers":{"X-Api-Key":"…","X-Plain":"seen"}}"#, opened)
    #expect(edited.headers == stored.headers)
    #expect(AdminText.hint(of: stored.keys) == "…")
  }

  @Test func refusesToSwitchALockedChannelOn() throws {
    let opened = try locked().opened
    do throws(AdminError) {
      _ = try change(#"{"status":"enabled"}"#, opened)
      Issue.record("accepted")
    } catch {
      #expect(error.code.description == "keys_required")
      #expect(error.message == ChannelSecrets.reason)
    }
    #expect(try change(#"{"status":"disabled"}"#, opened).status == .disabled)
  }

  @Test(arguments: [
    #"{"keys":["sealed1$AAAA"]}"#, #"{"headers":{"X-Api-Key":"sealed1$AAAA"}}"#,
    #"{"headers":{"X-Plain":" sealed1$AAAA"}}"#,
  ])
  func takesNoSealedValueFromOutside(_ text: String) throws {
    do throws(AdminError) {
      _ = try change(text, Self.plain)
      Issue.record("accepted")
    } catch {
      #expect(error.code.description == "invalid_field")
    }
  }

  // Backups.

  private static let derived = ByteString([UInt8](repeating: 9, count: 32))

  @Test func goesToAnotherDeviceThroughABackup() throws {
    let sealedKey = try #require(try secrets().sealedKey(under: Self.derived))
    let old = try #require(ChannelSecrets(sealedKey: sealedKey, under: Self.derived))
    let new = try secrets("new.key")
    check(new.opened(try #require(new.resealed(try stored(), from: old))), is: Self.plain)
  }

  @Test func staysLockedWithoutTheOtherDevicesKey() throws {
    let new = try secrets("new.key")
    let record = try #require(new.resealed(try stored(), from: new))
    #expect(ChannelSecrets.isLocked(new.opened(record)))
    check(try secrets().opened(record), is: Self.plain)
  }

  @Test func opensABackupsKeyWithTheRightPassphraseOnly() throws {
    let passphrase: ByteString = "correct horse battery"
    let key = try #require(
      BackupFiles.key(of: try secrets(), passphrase: passphrase, rounds: 10))
    let stored = try stored()
    #expect(BackupFiles.secrets(of: key, passphrase: "correct horse batterz") == nil)
    check(
      try #require(BackupFiles.secrets(of: key, passphrase: passphrase)).opened(stored),
      is: Self.plain)
  }
}
