// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// One input of libFuzzer: two bytes choose where the request is cut, the rest is the request.
///
/// Besides not crashing: every cutting gives the same result, an accepted head holds nothing that
/// another parser could read differently, and it is accepted again when written plainly.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 2 else { return 0 }
  let text = [UInt8](UnsafeBufferPointer(start: start + 2, count: count - 2))
  let steps = [1 + Int(start[0]) % 64, 1 + Int(start[1]) % 64]
  var limits = HeadLimits()
  if start[0] & 0x40 != 0 {
    limits.requestLineByteCount = 64
    limits.headerLineByteCount = 48
    limits.headByteCount = 256
    limits.headerFieldCount = 8
  }
  RequestHeadFuzz.check(text, steps, limits)
  return 0
}

enum RequestHeadFuzz {
  static func check(_ text: [UInt8], _ steps: [Int], _ limits: HeadLimits) {
    let head = RequestHead()
    let whole = RequestParser.parse(text.span, into: head, limits: limits)
    let summary = Summary(head, whole)
    let other = RequestHead()
    let cut = grown(text, steps, other, limits)
    switch whole {
    case .done(let end):
      precondition(cut == whole, "cuts change the result")
      precondition(Summary(other, cut) == summary, "cuts change the head")
      checkAccepted(head, text, end)
      checkWrittenAgain(head, limits)
    case .bad:
      if case .bad = cut { return }
      preconditionFailure("cuts hide what is wrong")
    case .needMore:
      precondition(cut == .needMore, "cuts change the result")
    }
  }

  /// What a request means.
  private struct Summary: Equatable {
    var bytes: [UInt8] = []
    var path: [UInt8] = []
    var query: Range<Int>?
    var facts: [Bool] = []
    var method: Method?
    var framing = BodyFraming.none

    init(_ head: RequestHead, _ outcome: RequestParser.Outcome) {
      guard case .done = outcome else { return }
      bytes = head.bytes
      path = head.path
      query = head.query
      method = head.method
      framing = head.framing
      facts = [head.keepsAlive, head.expectsContinue, head.hasUnknownExpectation]
      facts.append(head.minorVersion == 1)
    }
  }

  /// Parses longer and longer prefixes as a connection does, each in memory of its own.
  private static func grown(
    _ text: [UInt8], _ steps: [Int], _ head: RequestHead, _ limits: HeadLimits
  ) -> RequestParser.Outcome {
    var count = 0
    var searched = 0
    var turn = 0
    while count < text.count {
      count = min(count + steps[turn % steps.count], text.count)
      turn += 1
      let prefix = Array(text[..<count])
      let outcome = RequestParser.parse(
        prefix.span, into: head, limits: limits, checked: max(0, searched - 3))
      if outcome != .needMore { return outcome }
      searched = count
    }
    return .needMore
  }

  private static func checkAccepted(_ head: RequestHead, _ text: [UInt8], _ end: Int) {
    precondition(end <= text.count && head.bytes.count <= end, "more than there is")
    precondition(Array(text[(end - head.bytes.count)..<end]) == head.bytes, "another head")
    precondition(head.bytes.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]), "no end")
    var lines = 0
    for (index, byte) in head.bytes.enumerated() where byte < 0x20 || byte == 0x7F {
      if byte == 0x0D {
        precondition(head.bytes[index + 1] == 0x0A, "a bare CR")
        lines += 1
      } else if byte == 0x0A {
        precondition(head.bytes[index - 1] == 0x0D, "a bare LF")
      } else {
        precondition(byte == 0x09, "a control character")
      }
    }
    precondition(lines == head.fieldCount + 2, "a line that is no field")
    let hasLength = head.count(of: "content-length") > 0
    let codings = head.count(of: "transfer-encoding")
    switch head.framing {
    case .chunked: precondition(codings == 1 && !hasLength && head.minorVersion == 1, "chunked")
    case .length(let length): precondition(codings == 0 && hasLength && length > 0, "length")
    case .none: precondition(codings == 0, "a coding without a body")
    case .untilClose: preconditionFailure("a request that ends with the connection")
    }
    for (field, name): (KnownField, StaticString) in [
      (.host, "host"), (.connection, "connection"), (.expect, "expect"),
      (.contentLength, "content-length"), (.transferEncoding, "transfer-encoding"),
      (.authorization, "authorization"), (.apiKey, "x-api-key"),
      (.azureKey, "api-key"), (.googleKey, "x-goog-api-key"),
    ] {
      precondition(head.count(of: field) == head.count(of: name), "a field is overlooked")
      precondition(head.range(of: field) == head.range(of: name), "another field")
    }
    checkPath(head)
  }

  private static func checkPath(_ head: RequestHead) {
    if head.path == [UInt8(ascii: "*")] { return precondition(head.method == .options, "star") }
    precondition(head.path.first == UInt8(ascii: "/"), "a path without its slash")
    for byte in head.path { precondition(byte >= 0x20 && byte != 0x7F, "a control character") }
    for segment in head.path.split(separator: UInt8(ascii: "/")) {
      precondition(!segment.elementsEqual([0x2E]), "a dot segment")
      precondition(!segment.elementsEqual([0x2E, 0x2E]), "two dots")
    }
    for name in head.queryNames { precondition(!name.bytes.contains(0x26), "two names") }
    _ = head.queryValue(of: "a")
    _ = head.isPath("/v1/models")
    _ = head.hasPathPrefix("/v1/")
  }

  /// The same request with one space and trimmed values must mean the same.
  private static func checkWrittenAgain(_ head: RequestHead, _ limits: HeadLimits) {
    let buffer = Buffer()
    let lineEnd = head.bytes.firstIndex(of: 0x0D) ?? 0
    buffer.append(head.bytes.span.extracting(0..<lineEnd))
    buffer.append("\r\n")
    for field in head.fields {
      buffer.append(head.bytes.span.extracting(field.name))
      buffer.append(":")
      buffer.append(head.bytes.span.extracting(field.value))
      buffer.append("\r\n")
    }
    buffer.append("\r\n")
    let again = RequestHead()
    let outcome = buffer.withReadable { RequestParser.parse($0, into: again, limits: limits) }
    precondition(outcome == .done(buffer.count), "written again it is refused")
    precondition(again.path == head.path && again.framing == head.framing, "another meaning")
    precondition(again.keepsAlive == head.keepsAlive, "another fate of the connection")
  }
}
