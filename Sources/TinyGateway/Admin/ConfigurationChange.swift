// SPDX-License-Identifier: MIT
import CPlatform
import MiniJSON
import Platform

/// A change of `config.yaml` that the management API makes: what is asked for, checked and written
/// by the thread of files.
///
/// The loop uses it before and after that, never meanwhile; that is why `@unchecked` holds.
final class ConfigurationChange: @unchecked Sendable {
  /// Rows with the values that are asked for, as the file has them; nil for the default.
  private let changes: [(row: ConfigurationRow, value: ByteString?)]
  private let running: Configuration
  private var loader: ConfigurationLoader
  private let log: Log
  /// What the file holds afterwards; nil when it was left alone because of `failure`.
  private(set) var loaded: Configuration?
  private(set) var failure: AdminError?
  /// Whether the file was written.
  private(set) var hasWritten = false

  /// Takes the members of a body.
  ///
  /// Throws a 400 that names the first key that cannot be changed in this way.
  init(_ body: AdminBody, of gateway: Gateway) throws(AdminError) {
    (running, loader, log) = (gateway.configuration, gateway.loader, gateway.log)
    var changes: [(row: ConfigurationRow, value: ByteString?)] = []
    for (row, setting) in zip(ConfigurationTable.rows, running.settings) {
      guard let value = body.value(row.name) else { continue }
      try ConfigurationChange.check(row, setting.origin, running)
      changes.append((row, try ConfigurationChange.text(value, row)))
    }
    self.changes = changes
  }

  /// The changed keys, for the audit.
  var keys: ByteString { AdminText.listed(changes.map { $0.row.name }) }

  private static func check(
    _ row: ConfigurationRow, _ origin: ConfigurationOrigin, _ running: Configuration
  ) throws(AdminError) {
    guard row.isReloadable else {
      throw .field(
        row.name,
        "changes only with a restart: write it into " + running.configurationFile
          + " and restart the gateway")
    }
    if origin.layer == .commandLine || origin.layer == .environment {
      throw .field(
        row.name,
        "is set by " + origin.name + ", which is stronger than the file: change it there")
    }
  }

  /// A value as the file has it; nil for null.
  private static func text(
    _ value: JSONValue, _ row: ConfigurationRow
  ) throws(AdminError) -> ByteString? {
    if value.isNull { return nil }
    switch value.kind {
    case .number, .true, .false: return value.lexeme
    default:
      guard let text = value.string else {
        throw .field(row.name, "must be a text, a number, true, false or null")
      }
      return text
    }
  }

  // On the thread of files.

  /// Writes the file, unless what it would hold is wrong or it is not what was read last.
  func run() {
    do throws(AdminError) {
      loaded = try write()
    } catch {
      failure = error
    }
  }

  private func write() throws(AdminError) -> Configuration {
    let path = running.configurationFile
    let old = try content(path)
    guard CRC32.of(old.bytes.span) == running.fileChecksum else { throw changedMeanwhile }
    var new = old
    for (row, value) in changes { new = FlatYAML.setting(row, to: value, in: new) }
    let loaded = try load(new)
    guard new != old else { return loaded }
    do throws(SystemError) {
      hasWritten = try File.replaceDurably(old, with: new, at: path)
    } catch { throw ConfigurationChange.failure(path, error) }
    guard hasWritten else { throw changedMeanwhile }
    return loaded
  }

  private func content(_ path: ByteString) throws(AdminError) -> ByteString {
    guard File.exists(path) else { return .empty }
    do throws(SystemError) {
      return try File.read(path, limit: FlatYAML.fileByteCount)
    } catch { throw ConfigurationChange.failure(path, error) }
  }

  /// The configuration with a new text of the file, checked as at a start and at SIGHUP.
  private func load(_ text: ByteString) throws(AdminError) -> Configuration {
    guard text.count <= FlatYAML.fileByteCount else {
      throw AdminError(
        409, "conflict", running.configurationFile + " would be too long: shorten its comments.")
    }
    loader.fileText = text
    let loaded: Configuration
    do throws(ConfigurationError) {
      loaded = try loader.load()
      _ = try running.reloaded(from: loaded)
    } catch { throw ConfigurationChange.refusal(error) }
    for (row, _) in changes { try checkUse(of: ByteString(row.name), in: loaded) }
    return loaded
  }

  /// Files that can be read and are of no use: with them the next start would fail.
  private func checkUse(
    of key: ByteString, in loaded: Configuration
  ) throws(AdminError) {
    if key == "ca_file", !loaded.caFile.isEmpty {
      let problem = UpstreamTrust.source(caFile: loaded.caFile).problem
      if !problem.isEmpty { throw .field("ca_file", "cannot be used: " + problem) }
    }
    guard key.starts(with: "tls_"), !loaded.tlsCertificate.isEmpty else { return }
    do throws(StartError) {
      _ = try ServerCertificate.context(loaded, log: log)
    } catch { throw .field("tls_certificate", "cannot be used: " + error.sentence) }
  }

  /// The first thing that is wrong; what belongs to no key names its file and line.
  static func refusal(_ error: ConfigurationError) -> AdminError {
    guard let problem = error.problems.first else { return .busy }
    let name = problem.origin.name
    if ConfigurationTable.index(of: name) != nil {
      return AdminError(400, "invalid_field", name + " " + problem.message + ".")
    }
    let sentence = Buffer()
    problem.append(to: sentence)
    sentence.append(".")
    return AdminError(409, "conflict", sentence.byteString)
  }

  private var changedMeanwhile: AdminError {
    AdminError(
      409, "conflict",
      running.configurationFile
        + " was changed since the gateway read it: send SIGHUP or restart, then try again.")
  }

  private static func failure(_ path: ByteString, _ error: SystemError) -> AdminError {
    let sentence =
      path + " cannot be written (" + ByteString(utf8: error.text)
      + "): make its folder writable or free some space. Nothing was changed."
    return error.number == cp_enospc
      ? AdminError(507, "storage_full", sentence) : AdminError(503, "storage_failed", sentence)
  }
}
