// SPDX-License-Identifier: MIT
import Platform

/// The part of YAML 1.2 that settings need: `key: value` lines and comments, nothing nested.
///
/// Every accepted file means the same to a complete YAML reader.
enum FlatYAML {
  /// One setting of a file.
  struct Entry {
    let key: ByteString
    let value: ByteString
    /// From 1.
    let line: Int
  }

  /// Longest file that is read, in bytes.
  static let fileByteCount = 64 * 1024

  /// Reads a file's text: its settings in order, and what is wrong with other lines.
  static func parse(
    _ text: ByteString, from file: ConfigurationOrigin
  ) -> (entries: [Entry], problems: [ConfigurationProblem]) {
    var entries: [Entry] = []
    var problems: [ConfigurationProblem] = []
    var start = text.starts(with: "\u{FEFF}") ? 3 : 0
    var line = 0
    while start < text.count {
      line += 1
      let end = text.bytes.span.firstIndex(of: UInt8(ascii: "\n"), from: start) ?? text.count
      var scanner = FlatYAMLLine(bytes: Array(text.bytes[start..<end]))
      start = end + 1
      switch scanner.parse() {
      case .nothing: break
      case .entry(let key, let value):
        if let first = entries.first(where: { $0.key == key }) {
          problems.append(
            ConfigurationProblem(file.at(line: line, name: key)) {
              $0.append("is already set in line ")
              $0.append(decimal: first.line)
              $0.append("; remove one of the two lines")
            })
        } else {
          entries.append(Entry(key: key, value: value, line: line))
        }
      case .wrong(let key, let message):
        problems.append(ConfigurationProblem(file.at(line: line, name: key), message))
      }
    }
    return (entries, problems)
  }

  /// Appends a value so that `parse` gives it back, quoted where it must be.
  static func append(_ value: ByteString, to buffer: Buffer) {
    var line = FlatYAMLLine(bytes: ByteString("k: ").bytes + value.bytes)
    if !value.isEmpty, case .entry(_, let read) = line.parse(), read == value {
      return buffer.append(value)
    }
    buffer.append("\"")
    for byte in value.bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        buffer.append("\\")
        buffer.append(byte)
      case UInt8(ascii: "\n"): buffer.append("\\n")
      case UInt8(ascii: "\t"): buffer.append("\\t")
      case UInt8(ascii: "\r"): buffer.append("\\r")
      default: buffer.append(byte)
      }
    }
    buffer.append("\"")
  }
}

/// One line of a flat YAML file.
struct FlatYAMLLine {
  /// What a line is.
  enum Outcome {
    case nothing
    case entry(key: ByteString, value: ByteString)
    case wrong(key: ByteString, StaticString)
  }

  private let bytes: [UInt8]
  private var position = 0
  /// Where the value of an entry is, its quotation marks included; empty where it would be.
  private(set) var valueRange = 0..<0

  /// Takes a line without its line feed; one carriage return at the end is dropped.
  init(bytes: [UInt8]) {
    self.bytes = bytes.last == 0x0D ? Array(bytes.dropLast()) : bytes
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Reads the line.
  mutating func parse() -> Outcome {
    skipSpaces()
    guard let first = current, first != UInt8(ascii: "#") else { return .nothing }
    if let problem = wrongBytes(first) { return .wrong(key: .empty, problem) }
    let keyStart = position
    while let byte = current, FlatYAMLLine.isKeyByte(byte) { position += 1 }
    let key = ByteString(Array(bytes[keyStart..<position]))
    skipSpaces()
    guard !key.isEmpty, current == UInt8(ascii: ":") else {
      return .wrong(key: key, "is not a setting; write KEY: VALUE")
    }
    position += 1
    guard keyStart == 0 else {
      return .wrong(key: key, "is indented; start the line with the key, nothing can be nested")
    }
    guard current == nil || current == 0x20 else {
      return .wrong(key: key, "needs a space behind the colon")
    }
    skipSpaces()
    return value(of: key)
  }

  /// What makes the whole line unreadable.
  private func wrongBytes(_ first: UInt8) -> StaticString? {
    for byte in bytes where byte < 0x20 || byte == 0x7F {
      return byte == 0x09
        ? "there is a tab in this line; use spaces, or \\t within \"…\""
        : "there is a control character in this line; remove it"
    }
    if !ByteString(bytes).isUTF8 { return "this line is not UTF-8; save the file as UTF-8" }
    if first == UInt8(ascii: "-") {
      return "is no setting: lists stand behind their key, as in KEY: A, B; leave \"---\" out"
    }
    return nil
  }

  private mutating func value(of key: ByteString) -> Outcome {
    let start = position
    valueRange = start..<start
    guard let first = current, first != UInt8(ascii: "#") else {
      return .entry(key: key, value: .empty)
    }
    let value: [UInt8]?
    switch first {
    case UInt8(ascii: "\""): value = doubleQuoted()
    case UInt8(ascii: "'"): value = singleQuoted()
    default:
      if let problem = plainProblem(first) { return .wrong(key: key, problem) }
      valueRange = start..<plainEnd
      return .entry(key: key, value: ByteString(Array(bytes[valueRange])))
    }
    guard let value else {
      return .wrong(
        key: key, "has no closing quotation mark, or a backslash that belongs into '…'")
    }
    let end = position
    valueRange = start..<end
    skipSpaces()
    guard current == nil || (current == UInt8(ascii: "#") && position > end) else {
      return .wrong(key: key, "has something behind the closing quotation mark; remove it")
    }
    return .entry(key: key, value: ByteString(value))
  }

  /// Why a value cannot stand without quotation marks.
  private func plainProblem(_ first: UInt8) -> StaticString? {
    let reserved: StaticString = "[]{}&*!|>%@`~,?"
    let isReserved = reserved.withUTF8Buffer { $0.contains(first) }
    if first == UInt8(ascii: "[") || first == UInt8(ascii: "{") {
      return "is nested; write lists as A, B without brackets, other text in quotation marks"
    }
    if isReserved { return "starts with a character that YAML reserves; put the value in '…'" }
    let end = plainEnd
    for index in position..<end where bytes[index] == UInt8(ascii: ":") {
      if index + 1 == end || bytes[index + 1] == 0x20 {
        return "has a second colon; put the value in '…'"
      }
    }
    let isListItem =
      first == UInt8(ascii: "-") && (position + 1 == end || bytes[position + 1] == 0x20)
    return isListItem ? "has a list item; write lists as A, B" : nil
  }

  /// Where a value without quotation marks ends: at a comment or the end, spaces left out.
  private var plainEnd: Int {
    var end = position
    while end < bytes.count {
      if bytes[end] == UInt8(ascii: "#"), bytes[end - 1] == 0x20 { break }
      end += 1
    }
    while end > position, bytes[end - 1] == 0x20 { end -= 1 }
    return end
  }

  private mutating func singleQuoted() -> [UInt8]? {
    var text: [UInt8] = []
    position += 1
    while let byte = current {
      position += 1
      if byte == UInt8(ascii: "'") {
        guard current == UInt8(ascii: "'") else { return text }
        position += 1
      }
      text.append(byte)
    }
    return nil
  }

  private mutating func doubleQuoted() -> [UInt8]? {
    var text: [UInt8] = []
    position += 1
    while let byte = current {
      position += 1
      if byte == UInt8(ascii: "\"") { return text }
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard let escaped = escape() else { return nil }
      text.append(escaped)
    }
    return nil
  }

  /// The byte that an escape stands for, read behind its backslash.
  private mutating func escape() -> UInt8? {
    guard let byte = current else { return nil }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return byte
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "x"):
      guard position + 1 < bytes.count, let high = ASCII.hexValue(bytes[position]),
        let low = ASCII.hexValue(bytes[position + 1]), high < 8
      else { return nil }
      position += 2
      return high << 4 | low
    default: return nil
    }
  }

  private mutating func skipSpaces() {
    while current == 0x20 { position += 1 }
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "_")
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
  }
}
