// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// What the row of the channel's vendor changes in answers.
extension Relay {
  /// What the vendor's own error codes mean.
  var errorCodes: StaticString { channel?.vendor.errorCodes ?? "" }

  /// For a vendor whose answers OpenAI's clients would not understand; nil for all others.
  var answerRepair: AnswerRepair? {
    guard mode.asksUsage, let channel, channel.vendor.repairsAnswers else { return nil }
    return AnswerRepair(channel.vendor, model: model, now: UnixTime.seconds)
  }

  /// Makes a whole answer such as clients understand; false when it is an error of the vendor's
  /// own form.
  func repair(_ document: AnswerDocument) -> Bool {
    guard var repair = answerRepair else { return true }
    switch repair.repair(answer: document.held.readable) {
    case .failed: return false
    case .unchanged, .dropped: return true
    case .changed(let text):
      document.held.clear()
      document.held.append(text)
      text.withBytes { bytes in
        guard let range = JSONQuery.member("usage", in: bytes) else { return }
        document.repairedUsage = Usage.parse(UnsafeRawBufferPointer(rebasing: bytes[range]))
      }
      return true
    }
  }
}
