// SPDX-License-Identifier: MIT
import Platform

/// Reads a request head from a buffer's bytes: done, need more, or bad.
///
/// One function over contiguous bytes; nothing is kept between calls but the number of bytes
/// already searched. Strict where leniency would let two parsers disagree on where a request
/// ends (request smuggling).
package enum RequestParser {
  package enum Outcome: Equatable, Sendable {
    case needMore
    /// The head is in `head` and took that many bytes.
    case done(Int)
    case bad(ParseFailure)
  }

  /// Parses the head at the start of `bytes` into `head`.
  ///
  /// `checked`: how many bytes an earlier call has already seen.
  package static func parse(
    _ bytes: Span<UInt8>, into head: RequestHead, limits: HeadLimits, checked: Int = 0
  ) -> Outcome {
    var start = 0
    var emptyLines = 0
    // RFC 9112 §2.2: a server should ignore an empty line before the request line.
    while emptyLines < Sizes.leadingEmptyLines, start + 1 < bytes.count, bytes[start] == 0x0D,
      bytes[start + 1] == 0x0A
    {
      start += 2
      emptyLines += 1
    }
    switch HeadLines.scan(bytes, from: start, checked: checked) {
    case .malformed: return .bad(.malformed)
    case .needMore:
      return incomplete(bytes, start, limits).map { .bad($0) } ?? .needMore
    case .end(let end):
      // A short head has no line above a limit.
      let isShort = end - start <= min(limits.requestLineByteCount, limits.headByteCount)
      if !isShort || !HeadLines.isToken(bytes[start]),
        let failure = incomplete(bytes.extracting(0..<end), start, limits)
      {
        return .bad(failure)
      }
      head.reset(copying: bytes.extracting(start..<end))
      if let failure = parseLine(head, limits) ?? interpret(head) { return .bad(failure) }
      return .done(end)
    }
  }

  /// What is wrong already although the head may not be complete.
  private static func incomplete(
    _ bytes: Span<UInt8>, _ start: Int, _ limits: HeadLimits
  ) -> ParseFailure? {
    guard start < bytes.count else { return nil }
    // A TLS hello or other binary data must not wait for a line end.
    let first = bytes[start]
    guard HeadLines.isToken(first) || first == 0x0D else { return .malformed }
    if let lineEnd = bytes.firstIndex(of: 0x0A, from: start) {
      if lineEnd - 1 - start > limits.requestLineByteCount { return .requestLineTooLong }
      return bytes.count - lineEnd > limits.headByteCount ? .headTooLarge : nil
    }
    let lineByteCount = bytes.count - start - (bytes[bytes.count - 1] == 0x0D ? 1 : 0)
    return lineByteCount > limits.requestLineByteCount ? .requestLineTooLong : nil
  }

  /// RFC 9112 §3: `METHOD SP TARGET SP HTTP/1.x`, single spaces.
  private static func parseLine(_ head: RequestHead, _ limits: HeadLimits) -> ParseFailure? {
    let lineEnd: Int
    do {
      let bytes = head.bytes.span
      guard let carriageReturn = bytes.firstIndex(of: 0x0D), bytes[carriageReturn + 1] == 0x0A,
        let methodEnd = bytes.firstIndex(of: 0x20), methodEnd > 0, methodEnd < carriageReturn,
        let targetEnd = bytes.firstIndex(of: 0x20, from: methodEnd + 1),
        targetEnd > methodEnd + 1, targetEnd < carriageReturn
      else { return .malformed }
      lineEnd = carriageReturn
      if let failure = version(bytes.extracting((targetEnd + 1)..<lineEnd), head) {
        return failure
      }
      let token = bytes.extracting(0..<methodEnd)
      for index in token.indices where !HeadLines.isToken(token[index]) { return .malformed }
      guard let method = Method(token) else {
        return token.equals("TRACE") || token.equals("CONNECT") ? .refusedMethod : .unknownMethod
      }
      head.method = method
      guard RequestTarget.parse(head, (methodEnd + 1)..<targetEnd) else { return .malformed }
    }
    return HeadLines.parseFields(head, from: lineEnd + 2, limits: limits)
  }

  private static func version(_ text: Span<UInt8>, _ head: RequestHead) -> ParseFailure? {
    guard text.count == 8, text.extracting(0..<5).equals("HTTP/"), ASCII.isDigit(text[5]),
      text[6] == UInt8(ascii: "."), ASCII.isDigit(text[7])
    else { return .malformed }
    guard text[5] == UInt8(ascii: "1") else { return .unsupportedVersion }
    head.minorVersion = text[7] == UInt8(ascii: "0") ? 0 : 1
    return nil
  }

  /// Derives host, framing, keep-alive and expectation, refusing what is ambiguous.
  private static func interpret(_ head: RequestHead) -> ParseFailure? {
    let hostCount = head.count(of: .host)
    // RFC 9112 §3.2: exactly one valid Host in HTTP/1.1.
    if hostCount > 1 || hostCount == 0 && head.minorVersion == 1 { return .malformed }
    if let host = head.range(of: .host), !RequestTarget.isHost(head.bytes.span, host) {
      return .malformed
    }
    if let failure = interpretLength(head) { return failure }
    let closes = head.contains(token: "close", in: .connection)
    head.keepsAlive =
      !closes
      && (head.minorVersion == 1 || head.contains(token: "keep-alive", in: .connection))
    head.expectsContinue = false
    head.hasUnknownExpectation = false
    if let expect = head.range(of: .expect) {
      let isContinue = head.withBytes(expect) { $0.equalsIgnoringCase("100-continue") }
      head.expectsContinue = isContinue && head.minorVersion == 1
      head.hasUnknownExpectation = !isContinue || head.count(of: .expect) > 1
    }
    return nil
  }

  /// RFC 9112 §6: the only accepted framings are one Content-Length or exactly `chunked`.
  private static func interpretLength(_ head: RequestHead) -> ParseFailure? {
    let lengths = head.count(of: .contentLength)
    let codings = head.count(of: .transferEncoding)
    if codings > 0 {
      // §6.1: both at once is an attempt at smuggling; HTTP/1.0 knows no transfer codings.
      if lengths > 0 || codings > 1 || head.minorVersion == 0 { return .conflictingLength }
      guard let coding = head.range(of: .transferEncoding),
        head.withBytes(coding, { $0.equalsIgnoringCase("chunked") })
      else { return .unsupportedTransferCoding }
      head.framing = .chunked
      return nil
    }
    guard lengths > 0 else {
      head.framing = .none
      return nil
    }
    guard lengths == 1, let range = head.range(of: .contentLength),
      let length = head.withBytes(range, { $0.decimal })
    else { return .conflictingLength }
    head.framing = length == 0 ? .none : .length(length)
    return nil
  }
}
