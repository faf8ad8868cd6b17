// SPDX-License-Identifier: MIT
import MiniHTTP

/// What kind of task a relay forwards.
enum RelayMode: Int, CaseIterable, Sendable {
  case chat, completions, embeddings, images

  /// The task of a request path; nil when the path is not a relayed one.
  init?(_ head: RequestHead) {
    if head.isPath("/v1/chat/completions") {
      self = .chat
    } else if head.isPath("/v1/completions") {
      self = .completions
    } else if head.isPath("/v1/embeddings") {
      self = .embeddings
    } else if head.isPath("/v1/images/generations") {
      self = .images
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
    case .images: "/images/generations"
    }
  }

  /// Whether the task can be answered as a stream of events.
  var canStream: Bool { hasCompletion }

  /// Whether the answer is text that costs completion tokens.
  var hasCompletion: Bool {
    switch self {
    case .chat, .completions: true
    case .embeddings, .images: false
    }
  }
}
