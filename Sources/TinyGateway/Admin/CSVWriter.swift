// SPDX-License-Identifier: MIT
import Platform

/// Writes rows of comma-separated values (RFC 4180).
struct CSVWriter {
  private static let formulaStarts = [UInt8]("=+-@\t\r\n".utf8)
  private static let quoted = [UInt8]("\",\r\n".utf8)

  private let buffer: Buffer
  private var isAtStart = true

  /// Makes a writer at the end of a buffer.
  init(_ buffer: Buffer) { self.buffer = buffer }

  /// Appends a name or another text of people's; nil is an empty field.
  ///
  /// Spreadsheets take a field that begins with `=`, `+`, `-`, `@`, a tab or a line break for a
  /// formula, which a name must not smuggle in: an apostrophe goes before it.
  mutating func field(text: ByteString?) {
    separate()
    guard let text, let first = text.bytes.first else { return }
    let isFormula = CSVWriter.formulaStarts.contains(first)
    let mustQuote = text.bytes.contains { CSVWriter.quoted.contains($0) }
    if mustQuote { buffer.append(UInt8(ascii: "\"")) }
    if isFormula { buffer.append(UInt8(ascii: "'")) }
    for byte in text.bytes {
      if byte == UInt8(ascii: "\"") { buffer.append(byte) }
      buffer.append(byte)
    }
    if mustQuote { buffer.append(UInt8(ascii: "\"")) }
  }

  /// Appends a number.
  mutating func field(_ value: Int64) {
    separate()
    buffer.append(decimal: value)
  }

  /// Appends an id; 0, which is none, is an empty field.
  mutating func field(id: Int64) {
    separate()
    if id != 0 { buffer.append(decimal: id) }
  }

  /// Appends `true` or `false`.
  mutating func field(_ value: Bool) {
    separate()
    buffer.append(value ? "true" as StaticString : "false")
  }

  /// Appends what needs neither quotes nor protection.
  mutating func field(plain append: (Buffer) -> Void) {
    separate()
    append(buffer)
  }

  /// Ends the row.
  mutating func endRow() {
    buffer.append("\r\n")
    isAtStart = true
  }

  private mutating func separate() {
    if !isAtStart { buffer.append(UInt8(ascii: ",")) }
    isAtStart = false
  }
}
