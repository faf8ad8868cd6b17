// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// An answer that is neither JSON nor events, a recording or plain text: it goes through as it
/// comes and is never held.
final class AnswerPassage {
  /// Types that are passed on; what else an upstream sends is no answer to these calls, such as the
  /// page of a proxy.
  private static let types: [StaticString] = [
    "audio/mpeg", "audio/mp3", "audio/opus", "audio/ogg", "audio/aac", "audio/flac", "audio/wav",
    "audio/x-wav", "audio/wave", "audio/pcm", "audio/l16", "audio/mp4", "audio/webm",
    "audio/basic", "application/octet-stream", "binary/octet-stream", "text/vtt", "text/srt",
    "application/x-subrip", "text/plain",
  ]

  /// What the client is told; texts are UTF-8.
  let type: StaticString
  /// As the upstream announced it; nil when it did not.
  let length: Int64?
  private let isText: Bool
  /// Whether nothing has come yet.
  private(set) var isEmpty = true
  private var asciiByteCount: Int64 = 0
  private var nonASCIIByteCount: Int64 = 0

  /// Takes the answer over; nil when its type is not one that is passed on.
  ///
  /// `isText`: whether the answer is text, which is counted.
  /// `takesPages`: whether a page is taken for text, which is what whisper.cpp calls it.
  init?(_ head: ResponseHead, isText: Bool, takesPages: Bool) {
    self.isText = isText
    length = if case .length(let count) = head.framing { count } else { nil }
    guard let said = head.value(of: .contentType) else {
      type = isText ? "text/plain" : "application/octet-stream"
      return
    }
    let name = (said.split(at: UInt8(ascii: ";"))?.before ?? said).trimmed.lowercased
    if takesPages, name == "text/html" {
      type = "text/plain"
      return
    }
    guard let known = AnswerPassage.types.first(where: { name == $0 }),
      isText || known.utf8Start[0] != UInt8(ascii: "t")
    else { return nil }
    type = known
  }

  /// Counts what passes, for the estimate.
  func count(_ bytes: Span<UInt8>) {
    isEmpty = false
    guard isText else { return }
    for index in bytes.indices {
      if bytes[index] < 0x80 { asciiByteCount += 1 } else { nonASCIIByteCount += 1 }
    }
  }

  /// Tokens of the text that came.
  var estimate: Int64 {
    Usage.estimate(asciiByteCount: asciiByteCount, nonASCIIByteCount: nonASCIIByteCount)
  }

  /// Appends the header lines of the answer.
  func appendType(to fields: Buffer) {
    fields.append("Content-Type: ")
    fields.append(type)
    // Sniffing must make neither a page nor a script of what an upstream sends.
    if type.utf8Start[0] == UInt8(ascii: "t") { fields.append("; charset=utf-8") }
    fields.append("\r\nX-Content-Type-Options: nosniff\r\n")
  }
}
