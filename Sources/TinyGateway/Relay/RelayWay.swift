// SPDX-License-Identifier: MIT
import Platform
import Vendors

/// How a request reaches a channel's vendor, and its answer the client.
enum RelayWay: Equatable, Sendable {
  /// Both speak OpenAI's format: few bytes are changed, and events pass as they are.
  case splice
  /// Both speak another format: the model is changed, and the answer's bytes are only read along.
  case pass
  /// The request is written anew in the vendor's format, the answer in the client's.
  case convert

  /// The way between a client's call and a vendor's dialect; nil when the vendor has no such call.
  ///
  /// `hasResponses`: whether the vendor has the Responses API beside chat completions.
  static func between(
    _ target: RelayTarget, _ vendor: DialectKind, hasResponses: Bool = false
  ) -> RelayWay? {
    let isOpenAI = vendor == .openAI
    switch target.mode {
    case .chat: break
    case .embeddings where !(isOpenAI && target.dialect.name.equals(Dialect.openAI.name)):
      return vendor.embeddings == nil ? nil : .convert
    case .completions where !isOpenAI: return .convert
    case .rerank where vendor == .cohere: return .splice
    default: return isOpenAI ? .splice : nil
    }
    if isOpenAI, target.isOpenAIChat { return .splice }
    if target.isResponses { return hasResponses ? .pass : .convert }
    return target.dialect.passes.equals(vendor.dialect.name) ? .pass : .convert
  }
}

extension RelayTarget {
  /// Whether the call is OpenAI's own chat completion.
  var isOpenAIChat: Bool { mode == .chat && dialect.name.equals(Dialect.openAI.name) }
}

extension RelayTarget {
  /// Whether the client speaks OpenAI's Responses API.
  var isResponses: Bool { dialect.name.equals(Dialect.responses.name) }
}

extension Vendor {
  /// Whether it speaks OpenAI's format, in which requests of other kinds than chat are passed on
  /// too.
  var isOpenAI: Bool { speaks == .openAI }

  /// Whether it has the Responses API beside chat completions.
  var hasResponses: Bool { tasks.contains { $0 == Dialect.responses.name } }

  /// What it speaks to a client of such a call.
  func dialect(for target: RelayTarget) -> Dialect {
    if target.mode == .embeddings, let embeddings = speaks.embeddings { return embeddings }
    return target.isResponses && hasResponses ? .responses : dialect
  }
}
