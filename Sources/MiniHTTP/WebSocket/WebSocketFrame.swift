// SPDX-License-Identifier: MIT
import Platform

/// Kinds of frames (RFC 6455 §5.2).
enum WebSocketOpcode: UInt8, Sendable {
  case continuation = 0
  case text = 1
  case binary = 2
  case close = 8
  case ping = 9
  case pong = 10

  /// Control frames may stand between the fragments of a message.
  var isControl: Bool { rawValue & 8 != 0 }
}

/// Why a connection closes (RFC 6455 §7.4.1).
package enum WebSocketCloseCode {
  static let normal = 1000
  static let protocolError = 1002
  static let unsupportedData = 1003
  static let invalidText = 1007
  static let tooLarge = 1009

  /// Whether a peer may send it.
  static func isValid(_ code: Int) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}

/// Writes a client's frames, which are masked and never fragmented.
enum WebSocketWriter {
  /// Longest payload of a control frame in bytes (RFC 6455 §5.5).
  static let controlByteCount = 125

  /// Appends one frame.
  ///
  /// `mask`: random, so that nobody can choose the bytes on the wire (RFC 6455 §10.3).
  static func append(
    _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, mask: UInt32, to buffer: Buffer
  ) {
    buffer.reserve(payload.count + 14)
    buffer.append(0x80 | opcode.rawValue)
    switch payload.count {
    case 0...controlByteCount: buffer.append(0x80 | UInt8(payload.count))
    case 126...0xFFFF:
      buffer.append(0x80 | 126)
      append(UInt64(payload.count), byteCount: 2, to: buffer)
    default:
      buffer.append(0x80 | 127)
      append(UInt64(payload.count), byteCount: 8, to: buffer)
    }
    append(UInt64(mask), byteCount: 4, to: buffer)
    var shift: UInt32 = 24
    for byte in payload {
      buffer.append(byte ^ UInt8(truncatingIfNeeded: mask >> shift))
      shift = (shift &+ 24) & 31
    }
  }

  /// Appends a close frame without a reason in words.
  static func appendClose(_ code: Int, mask: UInt32, to buffer: Buffer) {
    let payload = Buffer()
    append(UInt64(code), byteCount: 2, to: payload)
    append(.close, payload.readable, mask: mask, to: buffer)
  }

  private static func append(_ value: UInt64, byteCount: Int, to buffer: Buffer) {
    for position in 1...byteCount {
      buffer.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * (byteCount - position))))
    }
  }
}
