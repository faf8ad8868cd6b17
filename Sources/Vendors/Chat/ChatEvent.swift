// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// One step of an answer, as every dialect can be decoded into it and written from it.
///
/// A whole answer is decoded into the same events. Order: `start` first; `toolCall` before its
/// `arguments`; `finish` once, before or after `usage`; nothing after `failure`.
package enum ChatEvent {
  /// The vendor's id (empty: none) and time in Unix seconds (0: none).
  case start(id: ByteString, created: Int64)
  case text(ByteString)
  /// Thoughts that are told.
  case reasoning(ByteString)
  /// The vendor's seal on the thoughts so far, to be sent back in the next request.
  case reasoningSignature(ByteString)
  /// The model refuses, in OpenAI's field of that name.
  case refusal(ByteString)
  /// A call begins. `index` counts the calls of this answer from 0; an empty `id` is made up by the
  /// writer.
  case toolCall(index: Int, id: ByteString, name: ByteString, signature: ByteString)
  /// A fragment of the JSON text of a call's arguments; may be cut anywhere.
  case arguments(index: Int, ByteString)
  /// JSON arrays of numbers, one for each text of a request for vectors.
  case vectors([ByteString])
  case finish(FinishReason)
  /// The counts so far; the last one counts.
  case usage(ChatUsage)
  /// The vendor reports an error in its stream, or with status 200.
  case failure(ErrorAnswer)
  /// The answer is made by a further call on the same channel, after a pause.
  ///
  /// `url`: absolute, as the vendor gave it; the relay checks that it is the vendor's own.
  case follow(url: ByteString, pauseMilliseconds: Int64)
}

/// Why an answer ended.
package enum FinishReason: Sendable {
  case stop, length, toolCalls, contentFilter
}

/// Token counts in OpenAI's sense: `prompt` includes `cached`, `completion` includes `reasoning`.
///
/// Each count of a vendor's is from 0 to `largestCount`, so that no sum of them can overflow.
package struct ChatUsage: Equatable, Sendable {
  package var prompt: Int64 = 0
  package var completion: Int64 = 0
  package var cached: Int64 = 0
  /// Prompt tokens written to the vendor's cache (Anthropic).
  package var cacheWritten: Int64 = 0
  package var reasoning: Int64 = 0

  /// More tokens than any call has.
  package static let largestCount: Int64 = 1_000_000_000

  /// Makes counts of zero.
  package init() {}

  /// Makes the usual two of an object's members; missing ones are 0.
  package init(_ counts: JSONValue?, prompt: StaticString, completion: StaticString) {
    guard let counts else { return }
    self.prompt = counts.tokens(prompt)
    self.completion = counts.tokens(completion)
  }
}

extension JSONValue {
  /// A count of tokens, brought into range; 0 for none.
  @inline(never)
  package func tokens(_ key: StaticString) -> Int64 {
    max(0, min(member(key)?.int64 ?? 0, ChatUsage.largestCount))
  }
}

/// An answer put together from its events.
package struct ChatAnswer {
  package var id = ByteString.empty
  package var created: Int64 = 0
  package var text = Buffer()
  package var reasoning = Buffer()
  package var reasoningSignature = ByteString.empty
  package var refusal = ByteString.empty
  package var toolCalls: [ChatToolCall] = []
  package var vectors: [ByteString] = []
  package var finish: FinishReason?
  package var usage: ChatUsage?
  package var failure: ErrorAnswer?

  /// Makes an empty answer.
  package init() {}

  /// Takes the next event in.
  package mutating func add(_ event: ChatEvent) {
    switch event {
    case .start(let id, let created):
      self.id = id
      self.created = created
    case .text(let piece): text.append(piece)
    case .reasoning(let piece): reasoning.append(piece)
    case .reasoningSignature(let piece): reasoningSignature.append(piece)
    case .refusal(let piece): refusal.append(piece)
    case .toolCall(let index, let id, let name, let signature):
      guard index == toolCalls.count else { return }
      var call = ChatToolCall(id: id, name: name, arguments: .empty)
      call.arguments = .empty
      call.signature = signature
      toolCalls.append(call)
    case .arguments(let index, let piece):
      guard toolCalls.indices.contains(index) else { return }
      toolCalls[index].arguments.append(piece)
    case .vectors(let vectors): self.vectors = vectors
    case .finish(let reason): finish = reason
    case .usage(let usage): self.usage = usage
    case .failure(let failure): self.failure = failure
    case .follow: break
    }
  }

  /// The calls with arguments that are never empty.
  package var completedCalls: [ChatToolCall] {
    toolCalls.map { call in
      var call = call
      if call.arguments.isEmpty { call.arguments = "{}" }
      return call
    }
  }
}
