// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Small texts that several dialects write.
enum DialectText {
  /// JSON text without white space between its values, for schemas that are sent as a string.
  @inline(never)
  static func compact(_ json: ByteString) -> ByteString {
    var text: [UInt8] = []
    text.reserveCapacity(json.count)
    var isInString = false
    var isEscaped = false
    for byte in json.bytes {
      if !isInString, byte == 0x20 || (0x09...0x0D).contains(byte) { continue }
      text.append(byte)
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\"") {
        isInString.toggle()
      } else {
        isEscaped = isInString && byte == UInt8(ascii: "\\")
      }
    }
    return ByteString(text)
  }

  /// A number that a vendor takes from `least` to 1 only, brought into that range.
  ///
  /// `least`: what stands for 0 and less; nil where 0 is allowed.
  @inline(never)
  static func upToOne(_ lexeme: ByteString?, least: StaticString? = nil) -> ByteString? {
    guard let lexeme, let millionths = lexeme.withBytes({ JSONNumber.fixedPoint($0, decimals: 6) })
    else { return lexeme }
    if millionths > 1_000_000 { return "1" }
    if millionths <= 0, let least { return ByteString(least) }
    return lexeme
  }

  /// A path's segment, percent-encoded.
  static func segment(_ text: ByteString) -> ByteString {
    let buffer = Buffer()
    PercentEncoding.append(text, to: buffer)
    return buffer.byteString
  }
}

extension [ChatEvent] {
  /// Appends an event; not inlined, or every caller would hold a copy of the array's growth.
  @inline(never)
  mutating func add(_ event: ChatEvent) { append(event) }
}

extension SigningError {
  /// The same for the relay: another channel may have a key that can sign.
  var problem: ChatProblem {
    var problem = ChatProblem("The channel's key cannot be used: " + ByteString(text) + ".")
    problem.isOfDialect = true
    return problem
  }
}
