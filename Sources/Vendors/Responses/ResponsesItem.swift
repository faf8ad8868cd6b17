// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// One item of an answer of the Responses API: a text, a refusal, thoughts or a call.
struct ResponsesItem {
  enum Kind: Int { case message, refusal, reasoning, call }

  let kind: Kind
  let id: ByteString
  /// The text so far; of a call, its arguments.
  let text = Buffer()
  var isOpen = true
  var callID = ByteString.empty
  var name = ByteString.empty
  /// The vendor's seal on thoughts, or on a call.
  var signature = ByteString.empty

  init(_ kind: Kind, id: ByteString) {
    self.kind = kind
    self.id = id
  }

  /// Writes the item; one that is open has no content yet.
  func write(_ json: inout JSONWriter) {
    json.beginObject()
    json.member("id", id)
    json.member("type", kind.type)
    switch kind {
    case .message, .refusal:
      writeStatus(&json)
      json.member("role", "assistant" as StaticString)
      writeContent("content", &json)
    case .reasoning:
      writeContent("summary", &json)
      if !signature.isEmpty { json.member("encrypted_content", signature) }
    case .call:
      writeStatus(&json)
      json.member("call_id", callID)
      json.member("name", name)
      json.key("arguments")
      if isOpen { json.string("") } else { json.string(text.readable) }
      OpenAIWriter.writeSignature(signature, &json)
    }
    json.endObject()
  }

  private func writeStatus(_ json: inout JSONWriter) {
    json.member("status", isOpen ? "in_progress" : "completed" as StaticString)
  }

  private func writeContent(_ key: StaticString, _ json: inout JSONWriter) {
    json.key(key)
    json.beginArray()
    if !isOpen, kind != .reasoning || !text.isEmpty { writePart(&json) }
    json.endArray()
  }

  /// Writes the text as a part; an empty one while the item is open.
  func writePart(_ json: inout JSONWriter) {
    json.beginObject()
    json.member("type", kind.partType)
    json.key(kind.textKey)
    if isOpen { json.string("") } else { json.string(text.readable) }
    if kind == .message {
      json.emptyArray("annotations")
      json.emptyArray("logprobs")
    }
    json.endObject()
  }
}

/// The words of each kind of item, in the order of the cases.
extension ResponsesItem.Kind {
  private static let wordCount = 9
  private static let words: [StaticString] = [
    "msg_", "message", "output_text", "text", "content_index", "response.output_text.delta",
    "response.output_text.done", "response.content_part.added", "response.content_part.done",
    "msg_", "message", "refusal", "refusal", "content_index", "response.refusal.delta",
    "response.refusal.done", "response.content_part.added", "response.content_part.done",
    "rs_", "reasoning", "summary_text", "text", "summary_index",
    "response.reasoning_summary_text.delta", "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.added", "response.reasoning_summary_part.done",
    "fc_", "function_call", "", "arguments", "", "response.function_call_arguments.delta",
    "response.function_call_arguments.done", "", "",
  ]

  @inline(never)
  private func word(_ index: Int) -> StaticString {
    ResponsesItem.Kind.words[rawValue * ResponsesItem.Kind.wordCount + index]
  }

  var prefix: StaticString { word(0) }
  var type: StaticString { word(1) }
  var partType: StaticString { word(2) }
  var textKey: StaticString { word(3) }
  var indexKey: StaticString { word(4) }
  var delta: StaticString { word(5) }
  var done: StaticString { word(6) }
  var partAdded: StaticString { word(7) }
  var partDone: StaticString { word(8) }
}

extension JSONWriter {
  /// Writes a member with an array of nothing.
  mutating func emptyArray(_ key: StaticString) {
    self.key(key)
    beginArray()
    endArray()
  }
}
