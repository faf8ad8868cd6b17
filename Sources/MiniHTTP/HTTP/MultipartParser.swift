// SPDX-License-Identifier: MIT
import Platform

/// Why a form cannot be read; the text goes on from "The form ".
package struct MultipartError: Error, Equatable {
  package let text: ByteString

  init(_ text: ByteString) { self.text = text }
}

/// Checks a `multipart/form-data` body that arrives in slices, and finds chosen fields in it.
///
/// Sources: RFC 7578, RFC 2046 §5.1. Strict where readers differ, so that the upstream cannot see
/// another form than the one that was checked: no preamble, no epilogue, no folded lines, no
/// spaces behind a delimiter, one `Content-Disposition` for each part, no second field of a watched
/// name. Slices may be cut anywhere. Contents of files are only passed over; memory is bounded by
/// the constants below.
package struct MultipartParser: Sendable {
  /// Parts of one form.
  package static let partLimit = 100
  /// Header lines of one part, in bytes.
  package static let headByteLimit = 2048
  /// A field's name, in bytes.
  static let nameByteLimit = 128
  /// The value of a watched field, in bytes.
  package static let valueByteLimit = 256

  /// A watched field.
  package struct Field: Sendable {
    package fileprivate(set) var value: [UInt8] = []
    /// Offset of the value's first byte; -1 until it has come.
    package fileprivate(set) var valueOffset: Int64 = -1
    /// Offset behind the delimiter that ends the value; -1 until it has come.
    package fileprivate(set) var endOffset: Int64 = -1
  }

  private enum Phase: UInt8 {
    /// Within a part, or before the first.
    case content
    /// Behind a delimiter: a line end, or two hyphens.
    case afterDelimiter, lineFeed, secondHyphen
    case head
    /// Behind the last delimiter: nothing, or one line end.
    case closed, lastLineFeed, ended
  }

  /// What stands before every part but the first: a line end, two hyphens, the boundary.
  package let delimiter: ByteString
  private let watching: [StaticString]
  private var phase = Phase.content
  /// Bytes of the delimiter that have come; the first one lacks its line end.
  private var matched = 2
  private var isBeforeFirst = true
  private var head: [UInt8] = []
  private var fields: [Field]
  /// The watched field whose value is being read; -1 for none.
  private var current = -1
  private var isFile = false
  private var partCount = 0
  private var failure: MultipartError?

  /// Bytes scanned so far.
  package private(set) var byteCount: Int64 = 0
  /// Files whose contents have begun.
  package private(set) var fileCount: Int64 = 0
  /// Bytes of the other fields' values.
  package private(set) var asciiTextByteCount: Int64 = 0
  package private(set) var nonASCIITextByteCount: Int64 = 0

  /// Begins a form; `boundary` from `boundary(of:)`.
  package init(boundary: ByteString, watching: [StaticString]) {
    delimiter = "\r\n--" + boundary
    self.watching = watching
    fields = [Field](repeating: Field(), count: watching.count)
  }

  /// The boundary of a `Content-Type`; nil when it is no form, or breaks a rule.
  package static func boundary(of contentType: Span<UInt8>) -> ByteString? {
    var parameters = HeaderParameters(contentType)
    guard parameters.kind == "multipart/form-data" else { return nil }
    var boundary: ByteString?
    while parameters.advance() {
      guard parameters.name == "boundary" else { continue }
      guard boundary == nil else { return nil }
      boundary = parameters.value
    }
    guard !parameters.isBroken, let boundary, 1...70 ~= boundary.count,
      boundary.bytes.allSatisfy(isBoundaryByte), boundary.bytes.last != 0x20
    else { return nil }
    return boundary
  }

  /// RFC 2046 §5.1.1, `bchars`.
  private static func isBoundaryByte(_ byte: UInt8) -> Bool {
    let others: StaticString = "'()+_,-./:=? "
    return ASCII.isLetter(byte) || ASCII.isDigit(byte)
      || (0..<others.utf8CodeUnitCount).contains { others.utf8Start[$0] == byte }
  }

  /// The watched field at an index of `watching`.
  package func field(_ index: Int) -> Field { fields[index] }

  /// The value of a watched field; nil until it is complete.
  package func value(_ index: Int) -> ByteString? {
    fields[index].endOffset < 0 ? nil : ByteString(fields[index].value)
  }

  /// Whether the last delimiter has come.
  package var hasEnded: Bool {
    switch phase {
    case .closed, .lastLineFeed, .ended: true
    case .content, .afterDelimiter, .lineFeed, .secondHyphen, .head: false
    }
  }

  /// Scans the next slice; throws the same error again after it has thrown one.
  package mutating func scan(_ bytes: Span<UInt8>) throws(MultipartError) {
    if let failure { throw failure }
    do throws(MultipartError) {
      var index = 0
      while index < bytes.count {
        switch phase {
        case .content: index = try scanContent(bytes, index)
        case .head: index = try scanHead(bytes, index)
        case .afterDelimiter, .lineFeed, .secondHyphen, .closed, .lastLineFeed, .ended:
          try step(bytes[index])
          index += 1
        }
      }
    } catch {
      failure = error
      throw error
    }
    byteCount += Int64(bytes.count)
  }

  /// Ends the form; throws when it is not whole.
  package func finish() throws(MultipartError) {
    if let failure { throw failure }
    guard phase == .closed || phase == .ended else { throw MultipartError("has no proper end") }
  }

  /// One byte between a delimiter and what follows it.
  private mutating func step(_ byte: UInt8) throws(MultipartError) {
    switch (phase, byte) {
    case (.afterDelimiter, 0x0D): phase = .lineFeed
    case (.afterDelimiter, UInt8(ascii: "-")): phase = .secondHyphen
    case (.secondHyphen, UInt8(ascii: "-")): phase = .closed
    case (.closed, 0x0D): phase = .lastLineFeed
    case (.lastLineFeed, 0x0A): phase = .ended
    case (.lineFeed, 0x0A):
      partCount += 1
      guard partCount <= MultipartParser.partLimit else {
        throw MultipartError("has more than 100 parts")
      }
      head.removeAll(keepingCapacity: true)
      phase = .head
    default: throw MultipartError("has something behind a boundary that must not be there")
    }
  }

  /// Scans contents from `start` to behind the next delimiter, or to the slice's end.
  private mutating func scanContent(
    _ bytes: Span<UInt8>, _ start: Int
  ) throws(MultipartError) -> Int {
    var index = start
    while index < bytes.count {
      if matched == 0 {
        let end = bytes.firstIndex(of: 0x0D, from: index) ?? bytes.count
        try take(bytes.extracting(index..<end))
        index = end
        if index < bytes.count {
          matched = 1
          index += 1
        }
      } else if bytes[index] == delimiter[matched] {
        matched += 1
        index += 1
        if matched == delimiter.count {
          endPart(at: byteCount + Int64(index))
          return index
        }
      } else {
        // The line end occurs at the delimiter's beginning only, so nothing else can have begun.
        if isBeforeFirst { throw MultipartError("does not begin with its boundary") }
        let text = delimiter.bytes
        try take(text.span.extracting(0..<matched))
        matched = 0
      }
    }
    return index
  }

  private mutating func endPart(at offset: Int64) {
    matched = 0
    isBeforeFirst = false
    phase = .afterDelimiter
    if current >= 0 { fields[current].endOffset = offset }
    current = -1
  }

  /// Takes some of a part's contents.
  private mutating func take(_ bytes: Span<UInt8>) throws(MultipartError) {
    guard !isFile else { return }
    for index in bytes.indices {
      if bytes[index] < 0x80 { asciiTextByteCount += 1 } else { nonASCIITextByteCount += 1 }
    }
    guard current >= 0 else { return }
    guard fields[current].value.count + bytes.count <= MultipartParser.valueByteLimit else {
      throw MultipartError("has a field that is too long, such as model")
    }
    for index in bytes.indices { fields[current].value.append(bytes[index]) }
  }

  /// Scans header lines to behind the empty one, or to the slice's end.
  private mutating func scanHead(_ bytes: Span<UInt8>, _ start: Int) throws(MultipartError) -> Int {
    var index = start
    while index < bytes.count {
      head.append(bytes[index])
      index += 1
      guard head.count <= MultipartParser.headByteLimit else {
        throw MultipartError("has a part whose header lines are too long")
      }
      let count = head.count
      if head[count - 1] == 0x0A, count == 2 || count >= 4 && head[count - 3] == 0x0A {
        try beginPart(at: byteCount + Int64(index))
        return index
      }
    }
    return index
  }

  private mutating func beginPart(at offset: Int64) throws(MultipartError) {
    let part = try MultipartHead(head)
    phase = .content
    isFile = part.isFile
    if isFile { fileCount += 1 }
    for index in watching.indices where part.name == watching[index] {
      guard !isFile else { throw MultipartError("has a file where text is needed: " + part.name) }
      guard fields[index].valueOffset < 0 else {
        throw MultipartError("has two fields of one name: " + part.name)
      }
      fields[index].valueOffset = offset
      current = index
    }
  }
}
