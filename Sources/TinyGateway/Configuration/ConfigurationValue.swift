// SPDX-License-Identifier: MIT
import Platform

/// A checked value; which case it has follows from its row's kind.
enum ConfigurationValue: Equatable, Sendable {
  /// A number, or the index of a choice.
  case number(Int64)
  case text(ByteString)
  case blocks([AddressBlock])

  /// The number; 0 for other cases.
  var number: Int64 {
    if case .number(let number) = self { return number }
    return 0
  }

  /// The number as `Int`; rows that use it have ranges below 2³¹.
  var int: Int { Int(truncatingIfNeeded: number) }

  /// The text; empty for other cases.
  var text: ByteString {
    if case .text(let text) = self { return text }
    return .empty
  }

  /// The address blocks; none for other cases.
  var blocks: [AddressBlock] {
    if case .blocks(let blocks) = self { return blocks }
    return []
  }

  /// Whether nothing is set.
  var isEmpty: Bool {
    switch self {
    case .number: false
    case .text(let text): text.isEmpty
    case .blocks(let blocks): blocks.isEmpty
    }
  }
}

/// What a value may look like.
enum ConfigurationKind: Sendable {
  /// A whole number within the row's range.
  case number
  /// A power of two within the row's range.
  case powerOfTwo
  /// One of the row's choices.
  case choice
  /// Text whose byte count is within the row's range; empty text is always allowed.
  case text
  /// As text; relative paths in files start at the data directory.
  case path
  /// A numeric IPv4 or IPv6 address.
  case address
  /// Addresses and CIDR blocks between commas, or one of the row's choices.
  case blocks
  /// Statuses of upstreams and ranges of them between commas.
  case statuses
  /// Empty, the name of a time zone, or a POSIX rule.
  case zone
}

/// Where a row may be set.
struct ConfigurationScope: OptionSet, Sendable {
  let rawValue: UInt8
  init(rawValue: UInt8) { self.rawValue = rawValue }

  static let commandLine = ConfigurationScope(rawValue: 1)
  static let environment = ConfigurationScope(rawValue: 2)
  static let file = ConfigurationScope(rawValue: 4)
  static let board = ConfigurationScope(rawValue: 8)

  /// An ordinary setting.
  static let everywhere: ConfigurationScope = [.commandLine, .environment, .file, .board]
  /// A secret: never on the command line, which `ps` shows, nor in a board file, which is shared.
  static let secret: ConfigurationScope = [.environment, .file]
}

/// One key: the only place that knows its name, form, default and meaning.
struct ConfigurationRow: Sendable {
  typealias Setter = @Sendable (inout Configuration, ConfigurationValue) -> Void

  let name: StaticString
  let kind: ConfigurationKind
  let range: ClosedRange<Int64>
  /// Allowed words between bars.
  let choices: StaticString
  /// The built-in default as it is written in a file.
  let fallback: StaticString
  let comment: StaticString
  let scope: ConfigurationScope
  /// Whether SIGHUP changes it in a running gateway.
  let isReloadable: Bool
  /// Title of the section that starts with this row; empty within a section.
  let section: StaticString
  let set: Setter

  init(
    _ name: StaticString, _ kind: ConfigurationKind,
    in range: ClosedRange<Int64> = 0...0, choices: StaticString = "",
    default fallback: StaticString, _ comment: StaticString,
    scope: ConfigurationScope = .everywhere, isReloadable: Bool = false,
    section: StaticString = "", set: @escaping Setter
  ) {
    self.name = name
    self.kind = kind
    self.range = range
    self.choices = choices
    self.fallback = fallback
    self.comment = comment
    self.scope = scope
    self.isReloadable = isReloadable
    self.section = section
    self.set = set
  }

  /// Whether values of this row stay out of messages.
  var isSecret: Bool { scope == .secret }

  /// The built-in default, checked.
  var defaultValue: ConfigurationValue {
    guard let value = parse(ByteString(fallback)) else {
      preconditionFailure("a default that its own row refuses")
    }
    return value
  }
}

extension ConfigurationRow {
  /// The checked value; nil when the text has not the form that `appendExpectation` describes.
  func parse(_ text: ByteString) -> ConfigurationValue? {
    switch kind {
    case .number:
      return number(text).map { .number($0) }
    case .powerOfTwo:
      guard let number = number(text), number & (number - 1) == 0 else { return nil }
      return .number(number)
    case .choice:
      return choice(text).map { .number($0) }
    case .text, .path:
      guard text.isEmpty || range.contains(Int64(text.count)), text.isPrintable else { return nil }
      return .text(text)
    case .address:
      return IPAddress(text) == nil ? nil : .text(text)
    case .blocks:
      if let index = choice(text) { return .number(index) }
      return blocks(text).map { .blocks($0) }
    case .statuses: return RetryStatuses(text) == nil ? nil : .text(text)
    case .zone: return text.isEmpty || TimeZone(text) != nil ? .text(text) : nil
    }
  }

  private func number(_ text: ByteString) -> Int64? {
    guard let number = text.decimal, range.contains(number) else { return nil }
    return number
  }

  private func choice(_ text: ByteString) -> Int64? {
    let words = ByteString(choices).list(separatedBy: UInt8(ascii: "|"))
    return words.firstIndex(of: text).map { Int64($0) }
  }

  private func blocks(_ text: ByteString) -> [AddressBlock]? {
    var blocks: [AddressBlock] = []
    for piece in text.list(separatedBy: UInt8(ascii: ",")) {
      guard let block = AddressBlock(piece) else { return nil }
      blocks.append(block)
    }
    return blocks
  }

  /// Appends what a value must be, such as `a whole number from 0 to 65535`.
  func appendExpectation(to buffer: Buffer) {
    switch kind {
    case .number:
      buffer.append("a whole number from ")
      appendRange(to: buffer)
    case .powerOfTwo:
      buffer.append("a power of two from ")
      appendRange(to: buffer)
    case .choice:
      buffer.append("one of ")
      appendChoices(to: buffer)
    case .text, .path:
      buffer.append("empty or text of ")
      appendRange(to: buffer)
      buffer.append(" bytes without control characters")
    case .address:
      buffer.append("a numeric address such as 0.0.0.0, 127.0.0.1 or ::")
    case .blocks:
      if choices.utf8CodeUnitCount > 0 {
        appendChoices(to: buffer)
        buffer.append(" or ")
      }
      buffer.append("a list of addresses and blocks such as 10.0.0.0/8, fd00::/8")
    case .statuses: buffer.append("a list of statuses from 400 to 599 such as 429, 500-599")
    case .zone:
      buffer.append("a time zone such as Asia/Shanghai, or a POSIX rule such as CST-8")
    }
  }

  /// Appends `LEAST to MOST`.
  func appendRange(to buffer: Buffer) {
    buffer.append(decimal: range.lowerBound)
    buffer.append(" to ")
    buffer.append(decimal: range.upperBound)
  }

  /// Appends the choices between commas.
  func appendChoices(to buffer: Buffer) {
    choices.withUTF8Buffer { bytes in
      for byte in bytes {
        if byte == UInt8(ascii: "|") { buffer.append(", ") } else { buffer.append(byte) }
      }
    }
  }

  /// Appends a value as a file would have it.
  func append(_ value: ConfigurationValue, to buffer: Buffer) {
    switch value {
    case .number(let number):
      guard kind == .choice || kind == .blocks else { return buffer.append(decimal: number) }
      let words = ByteString(choices).list(separatedBy: UInt8(ascii: "|"))
      if number >= 0 && number < Int64(words.count) { buffer.append(words[Int(number)]) }
    case .text(let text):
      FlatYAML.append(text, to: buffer)
    case .blocks(let blocks):
      if blocks.isEmpty { buffer.append("\"\"") }
      for (index, block) in blocks.enumerated() {
        if index > 0 { buffer.append(", ") }
        buffer.append(block.address.text)
        buffer.append("/")
        buffer.append(decimal: block.prefixBitCount)
      }
    }
  }
}

extension ByteString {
  /// Whether these bytes are UTF-8 without control characters.
  var isPrintable: Bool {
    for byte in bytes where byte < 0x20 || byte == 0x7F { return false }
    return isUTF8
  }

  /// Whether these bytes are well-formed UTF-8.
  var isUTF8: Bool { bytes.span.isUTF8 }
}
