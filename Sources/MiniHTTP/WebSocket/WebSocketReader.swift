// SPDX-License-Identifier: MIT
import Platform

/// Reads a server's frames from a stream that may be cut anywhere (RFC 6455 §5).
///
/// A message is held until it is complete; only text is taken, as nobody here sends for binary.
struct WebSocketReader {
  enum Step: Equatable {
    /// All given bytes are used.
    case needMore
    /// A whole text is in `message`, until the next call.
    case text
    /// A ping with the payload in `control`, which wants a pong with the same.
    case ping
    case pong
    /// The peer closes; 1005 when it gave no code (RFC 6455 §7.1.5).
    case close(Int)
    /// A rule is broken, to be told the peer with this code.
    case bad(Int)
  }

  private enum Phase {
    case first
    case second
    /// Bytes of an extended length still to come, of 2 or 8.
    case length(left: Int, of: Int)
    case payload
    case ended(Step)
  }

  /// The message being gathered, or the one that was just reported.
  let message = Buffer()
  /// The payload of the control frame that was just reported.
  let control = Buffer()

  private var phase = Phase.first
  private var opcode = WebSocketOpcode.text
  private var isFinal = true
  /// Payload bytes of this frame still to come, once its length is known.
  private var left: UInt64 = 0
  /// Whether a message has begun and not ended.
  private var isInMessage = false
  private var wasReported = false
  private let messageByteCount: Int

  /// `messageByteCount`: the longest message that is taken.
  init(messageByteCount: Int) { self.messageByteCount = messageByteCount }

  /// What comes next at `offset`, which moves on behind what the step covers.
  mutating func next(_ bytes: Span<UInt8>, at offset: inout Int) -> Step {
    if wasReported {
      wasReported = false
      if message.reservedByteCount > Sizes.joinedBodyByteCount {
        message.release()
      } else {
        message.clear()
      }
    }
    while true {
      switch phase {
      case .ended(let step): return step
      case .payload:
        if let step = takePayload(bytes, &offset) { return report(step) }
        if case .payload = phase { return .needMore }
      case .first, .second, .length:
        guard offset < bytes.count else { return .needMore }
        let code = take(bytes[offset])
        offset += 1
        if let code { return report(.bad(code)) }
      }
    }
  }

  private mutating func report(_ step: Step) -> Step {
    switch step {
    case .text: wasReported = true
    case .close, .bad: phase = .ended(step)
    case .needMore, .ping, .pong: break
    }
    return step
  }

  /// Takes one byte of a frame's head; the code when it breaks a rule.
  private mutating func take(_ byte: UInt8) -> Int? {
    switch phase {
    case .first: return takeFirst(byte)
    case .second: return takeSecond(byte)
    case .length(let missing, let total):
      left = left << 8 | UInt64(byte)
      if missing > 1 {
        phase = .length(left: missing - 1, of: total)
        return nil
      }
      // RFC 6455 §5.2: the shortest form, and no highest bit.
      guard left > (total == 2 ? 125 : 0xFFFF), left >> 63 == 0 else {
        return WebSocketCloseCode.protocolError
      }
      return beginPayload()
    case .payload, .ended: return nil
    }
  }

  /// FIN, three reserved bits and the opcode.
  private mutating func takeFirst(_ byte: UInt8) -> Int? {
    // No extension was offered, so reserved bits mean nothing we agreed on.
    guard byte & 0x70 == 0, let opcode = WebSocketOpcode(rawValue: byte & 15) else {
      return WebSocketCloseCode.protocolError
    }
    self.opcode = opcode
    isFinal = byte & 0x80 != 0
    if opcode.isControl {
      guard isFinal else { return WebSocketCloseCode.protocolError }
      control.clear()
    } else {
      // A fragment goes on, or a message begins; not both.
      guard (opcode == .continuation) == isInMessage else {
        return WebSocketCloseCode.protocolError
      }
      if opcode == .binary { return WebSocketCloseCode.unsupportedData }
    }
    phase = .second
    return nil
  }

  /// The mask bit and the length's beginning.
  private mutating func takeSecond(_ byte: UInt8) -> Int? {
    // RFC 6455 §5.1: a server masks nothing.
    guard byte & 0x80 == 0, !opcode.isControl || byte <= WebSocketWriter.controlByteCount else {
      return WebSocketCloseCode.protocolError
    }
    left = 0
    switch byte {
    case 126: phase = .length(left: 2, of: 2)
    case 127: phase = .length(left: 8, of: 8)
    default:
      left = UInt64(byte)
      return beginPayload()
    }
    return nil
  }

  private mutating func beginPayload() -> Int? {
    phase = .payload
    guard !opcode.isControl else { return nil }
    isInMessage = !isFinal
    return left > UInt64(messageByteCount - message.count) ? WebSocketCloseCode.tooLarge : nil
  }

  /// Takes payload; a step when the frame has ended and there is something to report.
  private mutating func takePayload(_ bytes: Span<UInt8>, _ offset: inout Int) -> Step? {
    let count = Int(min(left, UInt64(bytes.count - offset)))
    (opcode.isControl ? control : message).append(bytes.extracting(offset..<(offset + count)))
    offset += count
    left -= UInt64(count)
    guard left == 0 else { return nil }
    phase = .first
    switch opcode {
    case .ping: return .ping
    case .pong: return .pong
    case .close: return closing
    case .continuation, .text, .binary:
      guard isFinal else { return nil }
      return message.withReadable { $0.isUTF8 } ? .text : .bad(WebSocketCloseCode.invalidText)
    }
  }

  /// RFC 6455 §5.5.1: nothing, or a code and a reason in UTF-8.
  private var closing: Step {
    control.withReadable { bytes in
      if bytes.isEmpty { return .close(1005) }
      guard bytes.count >= 2 else { return .bad(WebSocketCloseCode.protocolError) }
      let code = Int(bytes[0]) << 8 | Int(bytes[1])
      guard WebSocketCloseCode.isValid(code) else { return .bad(WebSocketCloseCode.protocolError) }
      guard bytes.extracting(2..<bytes.count).isUTF8 else {
        return .bad(WebSocketCloseCode.invalidText)
      }
      return .close(code)
    }
  }
}
