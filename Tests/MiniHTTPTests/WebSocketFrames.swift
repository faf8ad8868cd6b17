// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// A server's side of WebSocket frames, for tests.
enum WebSocketFrames {
  /// A frame as a server sends it, unless `mask` is given.
  static func frame(
    _ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, mask: [UInt8]? = nil
  ) -> [UInt8] {
    var bytes = [(isFinal ? 0x80 : 0) | opcode]
    let maskBit: UInt8 = mask == nil ? 0 : 0x80
    switch payload.count {
    case 0..<126: bytes.append(maskBit | UInt8(payload.count))
    case 126..<0x10000:
      bytes += [maskBit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    default:
      bytes.append(maskBit | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift))
      }
    }
    guard let mask else { return bytes + payload }
    return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
  }

  static func text(_ text: String, isFinal: Bool = true) -> [UInt8] {
    frame(1, [UInt8](text.utf8), isFinal: isFinal)
  }

  static func close(_ code: Int, _ reason: String = "") -> [UInt8] {
    frame(8, [UInt8(code >> 8), UInt8(code & 255)] + [UInt8](reason.utf8))
  }

  /// The first whole frame of a client: opcode, payload without the mask, bytes used; nil when it
  /// is not complete or not as a client must send it.
  static func unmasked(_ bytes: [UInt8]) -> (opcode: UInt8, payload: [UInt8], count: Int)? {
    guard bytes.count >= 2, bytes[0] & 0xF0 == 0x80, bytes[1] & 0x80 != 0 else { return nil }
    var (length, start) = (Int(bytes[1] & 127), 2)
    if length >= 126 {
      let end = length == 126 ? 4 : 10
      guard bytes.count >= end else { return nil }
      length = bytes[2..<end].reduce(0) { $0 << 8 | Int($1) }
      start = end
    }
    let end = start + 4 + length
    guard bytes.count >= end else { return nil }
    let mask = Array(bytes[start..<(start + 4)])
    let payload = bytes[(start + 4)..<end].enumerated().map { $1 ^ mask[$0 % 4] }
    return (bytes[0] & 15, payload, end)
  }
}
