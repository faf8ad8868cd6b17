// SPDX-License-Identifier: MIT
import CDocuments
import MiniHTTP
import Platform

/// A document of the management API, or a file of the web pages, which is in the binary and for
/// everybody to read.
///
/// It is there packed with gzip, and sent so to whom takes it.
struct Document: @unchecked Sendable {
  /// What a page may load and do (CSP 3): its own modules, styles and calls, nothing of others.
  private static let policy: StaticString = """
    Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'\r

    """

  /// A row of the table in read-only memory.
  private let file: UnsafePointer<cd_file>

  /// The file with this path; nil for another one.
  init?(_ path: Span<UInt8>) {
    let found = path.withUnsafeBufferPointer { cd_find($0.baseAddress, $0.count) }
    guard let found else { return nil }
    file = found
  }

  /// The file that a request asks for; nil for another path.
  static func find(_ head: RequestHead) -> Document? {
    let path = head.isPath("/index.html") ? [UInt8(ascii: "/")] : head.path
    return Document(path.span)
  }

  /// What clients ask for.
  var path: ByteString { Document.text(file.pointee.path) }

  private static func text(_ pointer: UnsafePointer<CChar>?) -> ByteString {
    ByteString(cString: pointer) ?? .empty
  }

  /// The packed text.
  var packed: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: file.pointee.packed, count: file.pointee.packed_length)
  }

  /// Bytes of the text as it was before it was packed.
  var plainByteCount: Int { cd_unpacked_length(file.pointee.packed, file.pointee.packed_length) }

  /// The strong validator (RFC 9110 §8.8.3) of one of the two forms, in its quotes.
  func entityTag(isPacked: Bool) -> ByteString {
    let tag = isPacked ? file.pointee.packed_tag : file.pointee.plain_tag
    return "\"" + Document.text(tag) + "\""
  }

  /// Appends the header fields of an answer with the text, or with the news that it is the same.
  func appendFields(to fields: Buffer, isPacked: Bool) {
    fields.append("Content-Type: ")
    fields.append(Document.text(file.pointee.type))
    if isPacked { fields.append("\r\nContent-Encoding: gzip") }
    fields.append("\r\nVary: Accept-Encoding\r\nETag: ")
    fields.append(entityTag(isPacked: isPacked))
    // A page's files have the version in their path. What has none is kept too, but asked for
    // again each time: another version may be here by then.
    fields.append(
      isVersioned
        ? "\r\nCache-Control: public, max-age=31536000, immutable\r\n"
        : "\r\nCache-Control: no-cache\r\n")
    fields.append("X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n")
    if isPage { fields.append(Document.policy) }
  }

  private var isPage: Bool { path == "/" }
  private var isVersioned: Bool { path.starts(with: "/ui/") }

  /// Whether an `If-None-Match` names this form (RFC 9110 §13.1.2: by weak comparison).
  func matches(_ condition: ByteString, isPacked: Bool) -> Bool {
    let wanted = entityTag(isPacked: isPacked)
    return condition.list(separatedBy: UInt8(ascii: ",")).contains { part in
      let tag = part.trimmed
      return tag == "*" || tag == wanted || tag == "W/" + wanted
    }
  }

  /// A reader of the text; nil without memory.
  fileprivate func open() -> OpaquePointer? {
    cd_open(file.pointee.packed, file.pointee.packed_length)
  }

  /// Whether an `Accept-Encoding` takes gzip, and plain text no rather (RFC 9110 §12.5.3).
  static func takesGzip(_ field: ByteString?) -> Bool {
    var gzip: Int?
    var plain: Int?
    var other: Int?
    for part in field?.lowercased.list(separatedBy: UInt8(ascii: ",")) ?? [] {
      let (coding, weight) = part.split(at: UInt8(ascii: ";")) ?? (part, "q=1")
      let name = coding.trimmed
      let quality = thousandths(weight.trimmed)
      if name == "gzip" || name == "x-gzip" {
        gzip = quality
      } else if name == "identity" {
        plain = quality
      } else if name == "*" {
        other = quality
      }
    }
    let wanted = gzip ?? other ?? 0
    return wanted > 0 && wanted >= plain ?? 0
  }

  /// `q=0.5` in thousandths; 0 for what is no weight.
  private static func thousandths(_ text: ByteString) -> Int {
    guard let (name, value) = text.split(at: UInt8(ascii: "=")), name.trimmed == "q",
      value.count <= 5, let whole = value.bytes.first
    else { return 0 }
    if whole == UInt8(ascii: "1") { return 1000 }
    var quality = 0
    var place = 100
    for byte in value.bytes.dropFirst(2) where ASCII.isDigit(byte) {
      quality += Int(byte & 0x0F) * place
      place /= 10
    }
    return quality
  }
}

/// Unpacks a document a piece at a time.
final class DocumentReader {
  private let reader: OpaquePointer?

  /// Makes a reader at the beginning.
  init(_ document: Document) {
    reader = document.open()
  }

  deinit { cd_close(reader) }

  /// Appends the next bytes, `count` at most; false at the end.
  func append(_ count: Int, to buffer: Buffer) -> Bool {
    guard let reader else { return false }
    return buffer.appendUsing(minimum: count) { memory in
      cd_read(reader, memory.bindMemory(to: UInt8.self).baseAddress, count)
    } > 0
  }
}
