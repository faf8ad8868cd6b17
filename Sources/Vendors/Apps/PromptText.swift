// SPDX-License-Identifier: MIT
import Platform

/// A conversation as one text, for vendors that take a prompt only.
enum PromptText {
  /// The turns after each other, each with the name of its speaker; one alone stands without.
  ///
  /// `withSystem`: whether the system text goes first; otherwise it is left to the caller.
  static func fold(_ request: ChatRequest, withSystem: Bool) -> ByteString {
    let turns = request.messages.filter { $0.role != .system && !$0.text.isEmpty }
    let system = withSystem ? request.systemText : .empty
    let text = Buffer()
    text.append(system)
    for turn in turns {
      if !text.isEmpty { text.append("\n\n") }
      if turns.count > 1 { text.append(turn.role == .user ? "User: " : "Assistant: ") }
      text.append(turn.text)
    }
    return text.byteString
  }

  /// The last question alone.
  static func last(_ request: ChatRequest) -> ByteString {
    request.messages.last { $0.role == .user }?.text ?? .empty
  }
}
