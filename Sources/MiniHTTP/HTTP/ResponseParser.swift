// SPDX-License-Identifier: MIT
import Platform

/// The head of one answer of an upstream.
package final class ResponseHead: MessageHead {
  package internal(set) var status = Status(0)
  package internal(set) var minorVersion = 1
  package internal(set) var framing = BodyFraming.none
  package internal(set) var keepsAlive = true

  /// Makes an empty head for a parser to fill.
  package override init() { super.init() }
}

/// Reads an answer's head from a buffer's bytes: done, need more, or bad.
package enum ResponseParser {
  package enum Outcome: Equatable, Sendable {
    case needMore
    /// The head is in `head` and took that many bytes.
    case done(Int)
    case bad
  }

  /// Parses the head at the start of `bytes` into `head`.
  ///
  /// `toHead`: whether the request was HEAD, whose answer has no body.
  /// `checked`: how many bytes an earlier call has already seen.
  package static func parse(
    _ bytes: Span<UInt8>, into head: ResponseHead, limits: HeadLimits, toHead: Bool = false,
    checked: Int = 0
  ) -> Outcome {
    switch HeadLines.scan(bytes, from: 0, checked: checked) {
    case .malformed: return .bad
    case .needMore:
      if bytes.count > limits.upstreamHeadByteCount { return .bad }
      return .needMore
    case .end(let end):
      guard end <= limits.upstreamHeadByteCount else { return .bad }
      head.reset(copying: bytes.extracting(0..<end))
      var relaxed = limits
      relaxed.headerLineByteCount = limits.upstreamHeadByteCount
      relaxed.headerFieldCount = 4 * limits.headerFieldCount
      guard let fieldsStart = parseLine(head),
        HeadLines.parseFields(head, from: fieldsStart, limits: relaxed) == nil,
        interpret(head, toHead)
      else { return .bad }
      return .done(end)
    }
  }

  /// RFC 9112 §4: `HTTP/1.x SP 3DIGIT SP reason`; the offset behind the line.
  private static func parseLine(_ head: ResponseHead) -> Int? {
    let bytes = head.bytes.span
    guard let lineEnd = bytes.firstIndex(of: 0x0D), lineEnd >= 12, bytes[lineEnd + 1] == 0x0A,
      bytes.extracting(0..<7).equals("HTTP/1."), ASCII.isDigit(bytes[7]), bytes[8] == 0x20,
      let code = bytes.extracting(9..<12).decimal, code >= 100,
      lineEnd == 12 || bytes[12] == 0x20
    else { return nil }
    head.minorVersion = bytes[7] == UInt8(ascii: "0") ? 0 : 1
    head.status = Status(Int(code))
    return lineEnd + 2
  }

  /// RFC 9112 §6.3 in its order; false when the length is not clear.
  private static func interpret(_ head: ResponseHead, _ toHead: Bool) -> Bool {
    let closes = head.contains(token: "close", in: .connection)
    head.keepsAlive =
      !closes
      && (head.minorVersion == 1 || head.contains(token: "keep-alive", in: .connection))
    let code = head.status.code
    if toHead || code < 200 || code == 204 || code == 304 {
      head.framing = .none
      return true
    }
    let lengths = head.count(of: .contentLength)
    let codings = head.count(of: .transferEncoding)
    if codings > 0 {
      guard codings == 1, lengths == 0, let coding = head.range(of: .transferEncoding),
        head.withBytes(coding, { $0.equalsIgnoringCase("chunked") })
      else { return false }
      head.framing = .chunked
      return true
    }
    if lengths > 0 {
      guard lengths == 1, let range = head.range(of: .contentLength),
        let length = head.withBytes(range, { $0.decimal })
      else { return false }
      head.framing = length == 0 ? .none : .length(length)
      return true
    }
    head.framing = .untilClose
    head.keepsAlive = false
    return true
  }
}
