// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// What earlier turns of a conversation allow and mean.
extension ChatRequest {
  /// Whether Anthropic's models may think: no tool is forced, and a turn that goes on after calls
  /// still has the thoughts that led to each of them.
  @inline(never)
  var allowsThinking: Bool {
    switch toolChoice {
    case .required, .named: return false
    case .unspecified, .auto, .none: break
    }
    for index in messages.indices.reversed() {
      let message = messages[index]
      // What comes with the results of tools is in their turn.
      if message.role == .user, index == 0 || messages[index - 1].role != .tool { return true }
      if !message.toolCalls.isEmpty, message.reasoningSignature.isEmpty { return false }
    }
    return true
  }
}

extension ChatMessage {
  /// The text; that of a tool that failed says so, for vendors without a field for it.
  @inline(never)
  var resultText: ByteString {
    let text = text
    guard role == .tool, isToolError, !text.lowercased.starts(with: "error") else { return text }
    return "Error: " + text
  }
}
