// SPDX-License-Identifier: MIT
import Platform

/// One setting of a file changed, every other byte left as it is.
extension FlatYAML {
  /// The text with a setting's value, or nil for its default: then the line becomes a comment.
  ///
  /// The value is put on the key's line; without one on the first comment `#KEY: VALUE` whose value
  /// would do, which then is a comment no more; else on a new line at the end.
  static func setting(
    _ row: ConfigurationRow, to value: ByteString?, in text: ByteString
  ) -> ByteString {
    var comment: Place?
    var lines = Lines(text)
    while let range = lines.next() {
      if let place = Place(row, range, in: text) {
        let written = value ?? ByteString(row.fallback)
        return place.replaced(by: written, behind: value == nil ? "#" : "", in: text)
      }
      if comment == nil, text[range.lowerBound] == UInt8(ascii: "#"),
        let place = Place(row, range.lowerBound + 1..<range.upperBound, in: text),
        row.parse(place.value) != nil
      {
        comment = place
      }
    }
    guard let value else { return text }
    if var place = comment {
      place.lineStart -= 1
      return place.replaced(by: value, behind: "", in: text)
    }
    let end: StaticString = lines.endWithReturn ? "\r\n" : "\n"
    let buffer = Buffer()
    buffer.append(text)
    if let last = text.bytes.last, last != UInt8(ascii: "\n") { buffer.append(end) }
    buffer.append(row.name)
    buffer.append(": ")
    append(value, to: buffer)
    buffer.append(end)
    return buffer.byteString
  }

  /// The lines of a text as ranges without their line feeds; none for an empty line.
  struct Lines {
    private let text: ByteString
    private var start: Int
    /// Whether a line seen so far ended with a carriage return.
    private(set) var endWithReturn = false

    init(_ text: ByteString) {
      self.text = text
      start = text.starts(with: "\u{FEFF}") ? 3 : 0
    }

    /// The next line that is not empty.
    mutating func next() -> Range<Int>? {
      while start < text.count {
        let first = start
        let end = text.bytes.span.firstIndex(of: UInt8(ascii: "\n"), from: first) ?? text.count
        start = end + 1
        guard end > first else { continue }
        if text[end - 1] == 0x0D { endWithReturn = true }
        return first..<end
      }
      return nil
    }
  }

  /// Where a text has a setting.
  private struct Place {
    /// Of what is replaced.
    var lineStart: Int
    private let keyStart: Int
    let value: ByteString
    private let valueRange: Range<Int>

    /// Nil when the line does not set the row's key.
    init?(_ row: ConfigurationRow, _ line: Range<Int>, in text: ByteString) {
      var scanner = FlatYAMLLine(bytes: Array(text.bytes[line]))
      guard case .entry(let key, let value) = scanner.parse(), key == row.name else { return nil }
      (lineStart, keyStart, self.value) = (line.lowerBound, line.lowerBound, value)
      let range = scanner.valueRange
      valueRange = keyStart + range.lowerBound..<keyStart + range.upperBound
    }

    /// The text with another value and, in front of the key, `mark` in the place of what was there.
    func replaced(
      by value: ByteString, behind mark: StaticString, in text: ByteString
    ) -> ByteString {
      let buffer = Buffer()
      text.withBytes { raw in
        buffer.append(UnsafeRawBufferPointer(rebasing: raw[..<lineStart]))
        buffer.append(mark)
        buffer.append(UnsafeRawBufferPointer(rebasing: raw[keyStart..<valueRange.lowerBound]))
        // A value needs a space on either side of it, which there need not be where none was.
        if raw[valueRange.lowerBound - 1] == UInt8(ascii: ":") { buffer.append(" ") }
        FlatYAML.append(value, to: buffer)
        let rest = UnsafeRawBufferPointer(rebasing: raw[valueRange.upperBound...])
        if rest.first == UInt8(ascii: "#") { buffer.append(" ") }
        buffer.append(rest)
      }
      return buffer.byteString
    }
  }
}
