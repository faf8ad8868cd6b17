// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// One input of libFuzzer: two bytes choose the cuts, the rest is what a server sends.
///
/// Besides not crashing: every cutting gives the same reports, a message is never longer than
/// allowed, and what a client writes comes back without its mask.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 2 else { return 0 }
  let text = [UInt8](UnsafeBufferPointer(start: start + 2, count: count - 2))
  let steps = [1 + Int(start[0]) % 64, 1 + Int(start[1]) % 64]
  let whole = WebSocketFuzz.read(text, [text.count])
  precondition(WebSocketFuzz.read(text, steps) == whole, "cuts change the reports")
  precondition(WebSocketFuzz.read(text, [1]) == whole, "single bytes change the reports")
  WebSocketFuzz.checkRoundTrip(text, mask: UInt32(start[0]) << 24 | UInt32(start[1]))
  return 0
}

enum WebSocketFuzz {
  private static let messageByteCount = 1000

  struct Report: Equatable {
    let step: WebSocketReader.Step
    let payload: [UInt8]
  }

  /// The reports for slices whose lengths go round through `steps`, each in memory of its own.
  static func read(_ text: [UInt8], _ steps: [Int]) -> [Report] {
    var reader = WebSocketReader(messageByteCount: messageByteCount)
    var reports: [Report] = []
    var index = 0
    var turn = 0
    while index < text.count {
      let end = min(index + steps[turn % steps.count], text.count)
      let slice = Array(text[index..<end])
      var offset = 0
      while true {
        let step = reader.next(slice.span, at: &offset)
        precondition(offset <= slice.count, "uses more than there is")
        if step == .needMore {
          precondition(offset == slice.count, "bytes left over")
          break
        }
        reports.append(report(step, reader))
        switch step {
        case .close, .bad: return reports
        case .needMore, .text, .ping, .pong: break
        }
      }
      index = end
      turn += 1
    }
    return reports
  }

  private static func report(_ step: WebSocketReader.Step, _ reader: WebSocketReader) -> Report {
    switch step {
    case .text:
      let message = reader.message.byteString.bytes
      precondition(message.count <= messageByteCount, "a message above the limit")
      precondition(String(validating: message, as: UTF8.self) != nil, "not UTF-8")
      return Report(step: step, payload: message)
    case .ping, .pong, .close:
      let control = reader.control.byteString.bytes
      precondition(control.count <= 125, "a control frame above the limit")
      return Report(step: step, payload: control)
    case .bad, .needMore: return Report(step: step, payload: [])
    }
  }

  /// A client's frame, its mask bit and mask taken away, is a server's.
  static func checkRoundTrip(_ text: [UInt8], mask: UInt32) {
    let payload = Array(text.prefix(messageByteCount))
    let buffer = Buffer()
    payload.withUnsafeBytes { WebSocketWriter.append(.text, $0, mask: mask, to: buffer) }
    var bytes = buffer.byteString.bytes
    precondition(bytes[1] & 0x80 != 0, "a frame without a mask")
    bytes[1] &= 0x7F
    let headCount = payload.count < 126 ? 2 : 4
    let key = Array(bytes[headCount..<(headCount + 4)])
    bytes.removeSubrange(headCount..<(headCount + 4))
    for index in payload.indices { bytes[headCount + index] ^= key[index % 4] }
    let isText = String(validating: payload, as: UTF8.self) != nil
    let expected =
      isText ? Report(step: .text, payload: payload) : Report(step: .bad(1007), payload: [])
    precondition(read(bytes, [bytes.count]) == [expected], "does not come back")
  }
}
