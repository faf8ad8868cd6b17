// SPDX-License-Identifier: MIT
import Platform

/// A checked value and where it came from.
struct ConfigurationSetting: Sendable {
  let value: ConfigurationValue
  let origin: ConfigurationOrigin
}

/// Settings gathered from all sources, the strongest source first, with everything wrong in them.
struct ConfigurationLayers {
  /// By row; nil while no source has the key.
  private(set) var settings = [ConfigurationSetting?](
    repeating: nil, count: ConfigurationTable.rows.count)
  private(set) var problems: [ConfigurationProblem] = []
  /// Of the text of `config.yaml`.
  var fileChecksum: UInt32 = 0

  init() {}

  /// Checks one setting, and takes it unless a stronger source has the key already.
  ///
  /// `key` has underscores; the origin has the name as it was written.
  mutating func add(_ key: ByteString, _ text: ByteString, from origin: ConfigurationOrigin) {
    guard let index = ConfigurationTable.index(of: key) else {
      return note(ConfigurationLayers.unknown(key, origin))
    }
    let row = ConfigurationTable.rows[index]
    guard row.allows(origin.layer) else { return note(misplaced(row, origin)) }
    guard let value = row.parse(text) else { return note(bad(text, row, origin)) }
    if settings[index] == nil {
      settings[index] = ConfigurationSetting(value: value, origin: origin)
    }
  }

  /// Replaces the setting of a row.
  mutating func fill(_ index: Int, with setting: ConfigurationSetting?) {
    settings[index] = setting
  }

  /// Adds a problem.
  mutating func note(_ problem: ConfigurationProblem) { problems.append(problem) }

  /// Adds problems.
  mutating func note(_ more: [ConfigurationProblem]) { problems += more }

  /// The setting of a key so far; nil while no source has it.
  func setting(_ key: StaticString) -> ConfigurationSetting? {
    ConfigurationTable.index(of: ByteString(key)).flatMap { settings[$0] }
  }

  /// The problem of a key that does not exist.
  static func unknown(
    _ key: ByteString, _ origin: ConfigurationOrigin
  ) -> ConfigurationProblem {
    ConfigurationProblem(origin) { message in
      message.append("there is no such setting")
      if let row = ConfigurationTable.nearest(to: key, in: origin.layer) {
        message.append("; did you mean ")
        row.appendName(for: origin.layer, to: message)
        message.append("?")
      }
    }
  }

  private func misplaced(
    _ row: ConfigurationRow, _ origin: ConfigurationOrigin
  ) -> ConfigurationProblem {
    ConfigurationProblem(origin) { message in
      if row.isSecret {
        message.append("a secret does not belong here, where others can read it; set it in ")
        message.append("config.yaml or as ")
        row.appendName(for: .environment, to: message)
      } else if row.scope == .board {
        message.append("a fact about the board; it is set in the board file only")
      } else {
        message.append("cannot be set here; use ")
        row.appendName(for: .commandLine, to: message)
        message.append(" or ")
        row.appendName(for: .environment, to: message)
      }
    }
  }

  private func bad(
    _ text: ByteString, _ row: ConfigurationRow, _ origin: ConfigurationOrigin
  ) -> ConfigurationProblem {
    ConfigurationProblem(origin) { message in
      if let reason = ConfigurationChecks.refusal(of: row, text) {
        return message.append(reason)
      }
      if row.isSecret {
        message.append("is not ")
      } else if text.isEmpty {
        message.append("has no value; write ")
      } else {
        message.appendQuoted(text)
        message.append(" is not ")
      }
      row.appendExpectation(to: message)
    }
  }
}

extension ConfigurationRow {
  /// Whether the key may be set in a layer.
  func allows(_ layer: ConfigurationOrigin.Layer) -> Bool {
    switch layer {
    case .commandLine: scope.contains(.commandLine)
    case .environment: scope.contains(.environment)
    case .file: scope.contains(.file)
    case .board: scope.contains(.board)
    case .builtIn: true
    }
  }

  /// Appends the key as a layer spells it: `--log-level`, `TINYGATEWAY_LOG_LEVEL`, `log_level`.
  func appendName(for layer: ConfigurationOrigin.Layer, to buffer: Buffer) {
    let key = ByteString(name)
    switch layer {
    case .commandLine:
      buffer.append("--")
      for byte in key.bytes { buffer.append(byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte) }
    case .environment:
      buffer.append("TINYGATEWAY_")
      for byte in key.bytes { buffer.append(ASCII.isLetter(byte) ? byte & 0xDF : byte) }
    case .file, .board, .builtIn:
      buffer.append(key)
    }
  }
}

extension ConfigurationTable {
  /// The index of a key; nil for an unknown one.
  static func index(of key: ByteString) -> Int? { rows.firstIndex { key == $0.name } }

  /// The allowed key that is at most a third of its letters away; nil when none is.
  static func nearest(
    to key: ByteString, in layer: ConfigurationOrigin.Layer
  ) -> ConfigurationRow? {
    let wanted = key.lowercased
    guard wanted.count <= 64 else { return nil }
    var best: ConfigurationRow?
    var bestDistance = max(2, wanted.count / 3) + 1
    for row in rows where row.allows(layer) {
      let distance = EditDistance.between(wanted.bytes, ByteString(row.name).bytes)
      if distance < bestDistance {
        best = row
        bestDistance = distance
      }
    }
    return best
  }
}

/// How many letters two words differ in.
enum EditDistance {
  /// Insertions, removals and replacements between two short byte strings (Levenshtein).
  static func between(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (leftIndex, leftByte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = leftIndex + 1
      for (rightIndex, rightByte) in right.enumerated() {
        let above = row[rightIndex + 1]
        let replaced = diagonal + (leftByte == rightByte ? 0 : 1)
        row[rightIndex + 1] = min(replaced, min(above, row[rightIndex]) + 1)
        diagonal = above
      }
    }
    return row[right.count]
  }
}
