// SPDX-License-Identifier: MIT
import Platform

/// Accepted JSON text with a flat table of its values.
///
/// The text is checked by a `JSONScanner`, then walked once more to fill the table; there is no
/// tree and no recursion. The document keeps its own copy of the text (a `ByteString` is shared,
/// not copied), and its values keep the document. Memory: the text and 12 bytes per value or key.
/// For management calls and upstream errors; request bodies are only scanned.
package final class JSONDocument {
  /// A value, or a key of an object, which comes right before its value.
  struct Node {
    /// Where the lexeme lies in the text.
    let start: UInt32
    var end: UInt32
    /// Index behind the last node inside this one.
    var next: UInt32
  }

  /// The text, as it was given.
  package let text: ByteString
  private(set) var nodes: [Node] = []

  /// Checks a text and makes its table.
  ///
  /// - Parameters:
  ///   - text: the JSON text, shared.
  ///   - limits: of depth, number length, keys and values.
  ///   - refusesDuplicates: whether a key may not occur twice in the outermost object.
  ///   - requiresObject: whether the outermost value must be an object.
  /// - Throws: the scanner's errors; `.tooManyValues` above `JSONLimits.nodeCount`; `.tooLong` for
  ///   texts of 2 GB and more.
  package init(
    _ text: ByteString, limits: JSONLimits = .standard, refusesDuplicates: Bool = false,
    requiresObject: Bool = false
  ) throws(JSONError) {
    self.text = text
    if text.count >= Int(Int32.max) { throw JSONError(.tooLong, at: 0) }
    let scanner = JSONScanner(
      limits: limits, requiresObject: requiresObject, refusesDuplicates: refusesDuplicates)
    try scanner.scan(text.bytes.span)
    try scanner.finish()
    try text.withBytes { (raw) throws(JSONError) in try fill(raw, limits.nodeCount) }
  }

  /// Copies the bytes of a span; otherwise as the initializer for byte strings.
  package convenience init(
    _ text: Span<UInt8>, limits: JSONLimits = .standard, refusesDuplicates: Bool = false,
    requiresObject: Bool = false
  ) throws(JSONError) {
    try self.init(
      ByteString(text), limits: limits, refusesDuplicates: refusesDuplicates,
      requiresObject: requiresObject)
  }

  /// Copies the readable bytes of a buffer; otherwise as the initializer for byte strings.
  package convenience init(
    _ text: Buffer, limits: JSONLimits = .standard, refusesDuplicates: Bool = false,
    requiresObject: Bool = false
  ) throws(JSONError) {
    try self.init(
      text.byteString, limits: limits, refusesDuplicates: refusesDuplicates,
      requiresObject: requiresObject)
  }

  /// The outermost value.
  package var root: JSONValue { JSONValue(self, 0) }

  /// Calls `body` with the raw text of a node.
  func withLexeme<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    let node = nodes[index]
    return text.withBytes { raw in
      body(UnsafeRawBufferPointer(rebasing: raw[Int(node.start)..<Int(node.end)]))
    }
  }

  /// Walks over accepted text, token by token, and notes each value.
  private func fill(_ raw: UnsafeRawBufferPointer, _ limit: Int) throws(JSONError) {
    var open: [Int] = []
    var index = 0
    while index < raw.count {
      let byte = raw[index]
      switch byte {
      case JSONByte.closeBrace, JSONByte.closeBracket:
        guard let container = open.popLast() else { return }
        nodes[container].end = UInt32(index + 1)
        nodes[container].next = UInt32(nodes.count)
        index += 1
      case JSONByte.comma, JSONByte.colon, 0x20, 0x0a, 0x0d, 0x09:
        index += 1
      default:
        if nodes.count >= limit { throw JSONError(.tooManyValues, at: index) }
        let isContainer = byte == JSONByte.openBrace || byte == JSONByte.openBracket
        let end = isContainer ? index + 1 : JSONQuery.skipValue(raw, index) ?? raw.count
        if isContainer { open.append(nodes.count) }
        nodes.append(
          Node(start: UInt32(index), end: UInt32(end), next: UInt32(nodes.count + 1)))
        index = end
      }
    }
  }
}
