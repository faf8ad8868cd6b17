// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// One input of libFuzzer: two bytes choose the cuts and whether HEAD was asked, the rest is the
/// answer of an upstream.
///
/// Besides not crashing: every cutting gives the same result, and an accepted head has one length.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 2 else { return 0 }
  let text = [UInt8](UnsafeBufferPointer(start: start + 2, count: count - 2))
  let steps = [1 + Int(start[0]) % 64, 1 + Int(start[1]) % 64]
  var limits = HeadLimits()
  if start[0] & 0x40 != 0 { limits.upstreamHeadByteCount = 256 }
  ResponseHeadFuzz.check(text, steps, limits, toHead: start[1] & 0x40 != 0)
  return 0
}

enum ResponseHeadFuzz {
  static func check(_ text: [UInt8], _ steps: [Int], _ limits: HeadLimits, toHead: Bool) {
    let head = ResponseHead()
    let whole = ResponseParser.parse(text.span, into: head, limits: limits, toHead: toHead)
    let other = ResponseHead()
    var outcome = ResponseParser.Outcome.needMore
    var count = 0
    var searched = 0
    var turn = 0
    while count < text.count, outcome == .needMore {
      count = min(count + steps[turn % steps.count], text.count)
      turn += 1
      let prefix = Array(text[..<count])
      outcome = ResponseParser.parse(
        prefix.span, into: other, limits: limits, toHead: toHead, checked: max(0, searched - 3))
      searched = count
    }
    precondition(outcome == whole, "cuts change the result")
    guard case .done(let end) = whole else { return }
    precondition(head.bytes == other.bytes && head.framing == other.framing, "cuts change the head")
    precondition(Array(text[..<end]) == head.bytes, "another head")
    checkAccepted(head, toHead: toHead)
  }

  private static func checkAccepted(_ head: ResponseHead, toHead: Bool) {
    let code = head.status.code
    precondition(code >= 100 && code <= 999, "a code of other than three digits")
    for field in head.fields {
      for index in field.value { precondition(HeadLines.isValueByte(head.bytes[index]), "value") }
      for index in field.name { precondition(HeadLines.isToken(head.bytes[index]), "name") }
    }
    let hasNoBody = toHead || code < 200 || code == 204 || code == 304
    let lengths = head.count(of: "content-length")
    let codings = head.count(of: "transfer-encoding")
    switch head.framing {
    case .none: precondition(hasNoBody || lengths == 1, "a body is overlooked")
    case .length(let length):
      precondition(length > 0 && lengths == 1 && codings == 0 && !hasNoBody, "length")
    case .chunked: precondition(codings == 1 && lengths == 0 && !hasNoBody, "chunked")
    case .untilClose:
      precondition(lengths == 0 && codings == 0 && !head.keepsAlive, "until the close")
    }
  }
}
