// SPDX-License-Identifier: MIT
import Platform

/// Parts of a request that not every dialect can express.
///
/// A reader notes what a request uses; a dialect says what it writes and what it leaves out. What
/// is in neither is refused with the field's name. docs/conversions.md is compared with these sets.
package struct ChatFields: OptionSet, Sendable {
  package let rawValue: UInt32

  /// Makes a set.
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let temperature = ChatFields(rawValue: 1 << 0)
  package static let topP = ChatFields(rawValue: 1 << 1)
  package static let topK = ChatFields(rawValue: 1 << 2)
  package static let stop = ChatFields(rawValue: 1 << 3)
  package static let seed = ChatFields(rawValue: 1 << 4)
  package static let presencePenalty = ChatFields(rawValue: 1 << 5)
  package static let frequencyPenalty = ChatFields(rawValue: 1 << 6)
  package static let logitBias = ChatFields(rawValue: 1 << 7)
  /// `logprobs`, `top_logprobs`.
  package static let logprobs = ChatFields(rawValue: 1 << 8)
  /// More than one answer.
  package static let count = ChatFields(rawValue: 1 << 9)
  package static let jsonObject = ChatFields(rawValue: 1 << 10)
  package static let jsonSchema = ChatFields(rawValue: 1 << 11)
  package static let reasoning = ChatFields(rawValue: 1 << 12)
  package static let tools = ChatFields(rawValue: 1 << 13)
  /// A choice of tool other than `auto`.
  package static let toolChoice = ChatFields(rawValue: 1 << 14)
  package static let parallelTools = ChatFields(rawValue: 1 << 15)
  /// Calls and answers of tools in the conversation so far.
  package static let toolHistory = ChatFields(rawValue: 1 << 16)
  /// Pictures as base64.
  package static let images = ChatFields(rawValue: 1 << 17)
  /// Pictures by address.
  package static let imageURLs = ChatFields(rawValue: 1 << 18)
  package static let audio = ChatFields(rawValue: 1 << 19)
  package static let files = ChatFields(rawValue: 1 << 20)
  package static let maxTokens = ChatFields(rawValue: 1 << 21)
  package static let system = ChatFields(rawValue: 1 << 22)
  /// An answer as sound or in several forms (`modalities`, `audio`).
  package static let audioOutput = ChatFields(rawValue: 1 << 23)
  /// `prediction`, `verbosity`, `web_search_options`, legacy `functions`, and what else only
  /// OpenAI's own service knows; `ChatRequest.unknownField` names it.
  package static let other = ChatFields(rawValue: 1 << 24)
  /// Tools that are no functions (`type` other than `function`).
  package static let builtInTools = ChatFields(rawValue: 1 << 25)

  /// OpenAI's names, for sentences; a client's dialect with other names has a table of its own.
  package static let names: [(field: ChatFields, name: StaticString)] = [
    (.temperature, "temperature"), (.topP, "top_p"), (.topK, "top_k"), (.stop, "stop"),
    (.seed, "seed"), (.presencePenalty, "presence_penalty"),
    (.frequencyPenalty, "frequency_penalty"), (.logitBias, "logit_bias"),
    (.logprobs, "logprobs"), (.count, "n"), (.jsonObject, "response_format"),
    (.jsonSchema, "response_format"), (.reasoning, "reasoning_effort"), (.tools, "tools"),
    (.toolChoice, "tool_choice"), (.parallelTools, "parallel_tool_calls"),
    (.toolHistory, "messages with role tool"), (.images, "image_url"),
    (.imageURLs, "image_url with an address"), (.audio, "input_audio"), (.files, "file"),
    (.maxTokens, "max_tokens"), (.system, "messages with role system"),
    (.audioOutput, "modalities"), (.builtInTools, "tools of another type than function"),
  ]
}

/// Why a request cannot be read, or cannot be written in a dialect.
package struct ChatProblem: Error {
  /// One sentence for the client, which names the field.
  package let message: ByteString
  /// The field, in the client's dialect; empty when it is none.
  package let field: ByteString
  /// The request is right, but this dialect cannot express it: another channel may.
  package var isOfDialect = false

  /// Makes a problem of the request itself.
  package init(_ message: ByteString, field: ByteString = .empty) {
    self.message = message
    self.field = field
  }

  /// Makes a problem of the dialect: `sentence` follows the field's name.
  package static func inexpressible(_ field: ByteString, for vendor: StaticString) -> ChatProblem {
    var problem = ChatProblem(
      "The field " + field + " cannot be expressed for " + ByteString(vendor)
        + ", the vendor of the channel that serves this model.", field: field)
    problem.isOfDialect = true
    return problem
  }
}

extension ChatRequest {
  /// Throws when the request uses what a dialect neither writes nor may leave out.
  ///
  /// `names`: of the client's dialect.
  package func check(
    writes: ChatFields, drops: ChatFields, vendor: StaticString,
    names: [(field: ChatFields, name: StaticString)] = ChatFields.names
  ) throws(ChatProblem) {
    let left = fields.subtracting(writes).subtracting(drops)
    if left.contains(.other) { throw .inexpressible(unknownField, for: vendor) }
    guard !left.isEmpty else { return }
    for entry in names where left.contains(entry.field) {
      throw .inexpressible(ByteString(entry.name), for: vendor)
    }
    for entry in ChatFields.names where left.contains(entry.field) {
      throw .inexpressible(ByteString(entry.name), for: vendor)
    }
  }
}
