// SPDX-License-Identifier: MIT
import MiniHTTP

/// What kind of task a relay forwards.
enum RelayMode: Int, CaseIterable, Sendable {
  case chat, completions, embeddings

  /// The task of a request path; nil when the path is not a relayed one.
  init?(_ head: RequestHead) {
    if head.isPath("/v1/chat/completions") {
      self = .chat
    } else if head.isPath("/v1/completions") {
      self = .completions
    } else if head.isPath("/v1/embeddings") {
      self = .embeddings
    } else {
      return nil
    }
  }

  /// The API call below a channel's base URL.
  var call: StaticString {
    switch self {
    case .chat: "/chat/completions"
    case .completions: "/completions"
    case .embeddings: "/embeddings"
    }
  }

  /// Whether the task can be answered as a stream of events.
  var canStream: Bool { self != .embeddings }
}
