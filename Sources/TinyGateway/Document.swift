// SPDX-License-Identifier: MIT
import CDocuments
import MiniHTTP
import Platform

/// A document of the management API, which is in the binary and for everybody to read.
struct Document: Sendable {
  /// `docs/API.md`, for people.
  static let reference = Document(
    "/docs/API.md", "Content-Type: text/markdown; charset=utf-8\r\n", cd_reference)
  /// `docs/openapi.json`, for programs.
  static let openAPI = Document(
    "/openapi.json", "Content-Type: application/json\r\n", cd_openapi)

  let path: StaticString
  private let contentType: StaticString
  private let find: @Sendable (UnsafeMutablePointer<Int>?) -> UnsafePointer<UInt8>?
  /// A strong validator (RFC 9110 §8.8.3), in its quotes: other bytes, another tag.
  let entityTag: ByteString

  private init(
    _ path: StaticString, _ contentType: StaticString,
    _ find: @escaping @Sendable (UnsafeMutablePointer<Int>?) -> UnsafePointer<UInt8>?
  ) {
    self.path = path
    self.contentType = contentType
    self.find = find
    let digest = Digest.sha256(Document.bytes(find)).bytes
    entityTag = "\"" + Digest.hex(ByteString(Array(digest.bytes.prefix(16)))) + "\""
  }

  /// The text, in read-only memory.
  var bytes: UnsafeRawBufferPointer { Document.bytes(find) }

  private static func bytes(
    _ find: (UnsafeMutablePointer<Int>?) -> UnsafePointer<UInt8>?
  ) -> UnsafeRawBufferPointer {
    var count = 0
    let start = find(&count)
    return UnsafeRawBufferPointer(start: start, count: count)
  }

  /// The document that a request asks for; nil for another path.
  static func find(_ head: RequestHead) -> Document? {
    if head.isPath("/openapi.json") { return openAPI }
    return head.isPath("/docs/API.md") ? reference : nil
  }

  /// Appends the header fields of an answer with the text, or with the news that it is the same.
  func appendFields(to fields: Buffer) {
    fields.append(contentType)
    fields.append("ETag: ")
    fields.append(entityTag)
    // To be kept, and asked for again each time: another version may be here by then.
    fields.append("\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n")
  }

  /// Whether an `If-None-Match` names this text (RFC 9110 §13.1.2: by weak comparison).
  func matches(_ condition: ByteString) -> Bool {
    condition.list(separatedBy: UInt8(ascii: ",")).contains { part in
      let tag = part.trimmed
      return tag == "*" || tag == entityTag || tag == "W/" + entityTag
    }
  }
}
