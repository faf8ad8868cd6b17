// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

extension StreamEvent {
  /// The data as JSON; nil when it is none.
  ///
  /// Halves of surrogate pairs, which vendors cut apart between two events, become U+FFFD.
  package var json: JSONValue? {
    do throws(JSONError) {
      return try JSONDocument(data).root
    } catch {
      guard error.kind == .loneSurrogate else { return nil }
      return try? JSONDocument(StreamEvent.withoutLoneSurrogates(data)).root
    }
  }

  /// The data as JSON; nil for marks such as `[DONE]`, and for what is no JSON, which ends the
  /// answer: a piece that is left out would not be missed by anybody.
  @inline(never)
  func json(orFailIn events: inout [ChatEvent]) -> JSONValue? {
    if let root = json { return root }
    if !data.isBlank, !(data.trimmed.lowercased == "[done]") {
      let message: ByteString = "The vendor sent a piece of an answer that is no JSON."
      events.add(
        .failure(ErrorAnswer(status: 200, message: message, action: .retry, meaning: .broken)))
    }
    return nil
  }

  /// JSON text with `\ufffd` in place of each escape that is half of a surrogate pair.
  private static func withoutLoneSurrogates(_ text: ByteString) -> ByteString {
    var bytes = text.bytes
    var index = 0
    while index < bytes.count {
      guard bytes[index] == UInt8(ascii: "\\") else {
        index += 1
        continue
      }
      let unit = surrogate(bytes, index)
      guard unit > 0 else {
        index += 2
        continue
      }
      if unit < 0xDC, surrogate(bytes, index + 6) >= 0xDC {
        index += 12
        continue
      }
      for (offset, byte) in [UInt8(ascii: "f"), 0x66, 0x66, 0x64].enumerated() {
        bytes[index + 2 + offset] = byte
      }
      index += 6
    }
    return ByteString(bytes)
  }

  /// The upper byte of a surrogate that is escaped at `index`, D8 to DF; 0 for anything else.
  private static func surrogate(_ bytes: [UInt8], _ index: Int) -> UInt8 {
    guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"),
      bytes[index + 1] == UInt8(ascii: "u"), bytes[index + 2] | 0x20 == UInt8(ascii: "d")
    else { return 0 }
    switch bytes[index + 3] | 0x20 {
    case 0x38, 0x39: return 0xD0 | (bytes[index + 3] & 0x0F)
    case 0x61...0x66: return 0xD9 + (bytes[index + 3] & 0x0F)
    default: return 0
    }
  }
}
