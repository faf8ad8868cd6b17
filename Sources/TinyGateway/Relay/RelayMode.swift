// SPDX-License-Identifier: MIT
import Platform

/// What kind of task a relay forwards.
enum RelayMode: Int, CaseIterable, Sendable {
  case chat, completions, embeddings, images, imageEdits, imageVariations
  case speech, transcriptions, translations, moderations, rerank

  /// The task of a call below `/v1`, such as `/chat/completions`; nil for another one.
  init?(call: Span<UInt8>) {
    var value = 0
    while let mode = RelayMode(rawValue: value) {
      if call.equals(mode.call) {
        self = mode
        return
      }
      value += 1
    }
    return nil
  }

  /// The API call below a channel's base URL.
  var call: StaticString {
    switch self {
    case .chat: "/chat/completions"
    case .completions: "/completions"
    case .embeddings: "/embeddings"
    case .images: "/images/generations"
    case .imageEdits: "/images/edits"
    case .imageVariations: "/images/variations"
    case .speech: "/audio/speech"
    case .transcriptions: "/audio/transcriptions"
    case .translations: "/audio/translations"
    case .moderations: "/moderations"
    case .rerank: "/rerank"
    }
  }

  /// Whether the task can be answered as a stream of events.
  var canStream: Bool { hasCompletion || self == .speech }

  /// Whether the usage of a stream must be asked for in the request.
  var asksUsage: Bool { self == .chat || self == .completions }

  /// Whether the answer is text that costs completion tokens.
  var hasCompletion: Bool { asksUsage || isTranscript }

  /// Whether the answer is the text of a recording, as JSON or as it is.
  var isTranscript: Bool { self == .transcriptions || self == .translations }

  /// Whether an answer that is no JSON may be passed on.
  var hasPassage: Bool { self == .speech || isTranscript }

  /// Whether pictures are paid for.
  var isImages: Bool { self == .images || self == .imageEdits || self == .imageVariations }

  /// Whether the request is a form; edits of images may be JSON as well.
  var takesForm: Bool { isTranscript || self == .imageEdits || self == .imageVariations }

  /// The model of requests that name none, as OpenAI's API has it; empty for none.
  var defaultModel: ByteString {
    switch self {
    case .moderations: "omni-moderation-latest"
    case .imageVariations: "dall-e-2"
    default: .empty
    }
  }
}
