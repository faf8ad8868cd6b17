// SPDX-License-Identifier: MIT
import CDocuments
import MiniHTTP
import Platform

/// A document of the management API, which is in the binary and for everybody to read.
///
/// It is there packed with gzip, and sent so to whom takes it.
struct Document: Sendable {
  /// `docs/API.md`, for people.
  static let reference = Document(
    "/docs/API.md", "Content-Type: text/markdown; charset=utf-8\r\n", cd_reference)
  /// `docs/openapi.json`, for programs.
  static let openAPI = Document(
    "/openapi.json", "Content-Type: application/json\r\n", cd_openapi)

  let path: StaticString
  private let contentType: StaticString
  /// The packed text, in read-only memory.
  nonisolated(unsafe) let packed: UnsafeRawBufferPointer
  /// Strong validators (RFC 9110 §8.8.3), in their quotes: other bytes, another tag.
  private let packedTag: ByteString
  private let plainTag: ByteString

  private init(
    _ path: StaticString, _ contentType: StaticString,
    _ find: (UnsafeMutablePointer<Int>?) -> UnsafePointer<UInt8>?
  ) {
    self.path = path
    self.contentType = contentType
    var count = 0
    let start = find(&count)
    packed = UnsafeRawBufferPointer(start: start, count: count)
    let digest = Digest.sha256(packed).bytes.bytes
    packedTag = "\"" + Digest.hex(ByteString(Array(digest.prefix(16)))) + "\""
    plainTag = "\"" + Digest.hex(ByteString(Array(digest.suffix(16)))) + "\""
  }

  /// Bytes of the text as it was before it was packed.
  var plainByteCount: Int {
    cd_unpacked_length(packed.bindMemory(to: UInt8.self).baseAddress, packed.count)
  }

  /// The document that a request asks for; nil for another path.
  static func find(_ head: RequestHead) -> Document? {
    if head.isPath("/openapi.json") { return openAPI }
    return head.isPath("/docs/API.md") ? reference : nil
  }

  /// The validator of one of the two forms.
  func entityTag(isPacked: Bool) -> ByteString { isPacked ? packedTag : plainTag }

  /// Appends the header fields of an answer with the text, or with the news that it is the same.
  func appendFields(to fields: Buffer, isPacked: Bool) {
    fields.append(contentType)
    if isPacked { fields.append("Content-Encoding: gzip\r\n") }
    fields.append("Vary: Accept-Encoding\r\nETag: ")
    fields.append(entityTag(isPacked: isPacked))
    // To be kept, and asked for again each time: another version may be here by then.
    fields.append("\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n")
  }

  /// Whether an `If-None-Match` names this form (RFC 9110 §13.1.2: by weak comparison).
  func matches(_ condition: ByteString, isPacked: Bool) -> Bool {
    let wanted = entityTag(isPacked: isPacked)
    return condition.list(separatedBy: UInt8(ascii: ",")).contains { part in
      let tag = part.trimmed
      return tag == "*" || tag == wanted || tag == "W/" + wanted
    }
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
    let packed = document.packed.bindMemory(to: UInt8.self)
    reader = cd_open(packed.baseAddress, packed.count)
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
