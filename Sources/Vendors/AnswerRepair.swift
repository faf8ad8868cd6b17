// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Makes answers of a vendor whose row asks for it such as OpenAI's clients understand.
///
/// One for each answer. Bytes that need no change stay as they are.
package struct AnswerRepair {
  /// What becomes of an answer, or of one event of a stream.
  package enum Outcome: Equatable {
    case unchanged
    case changed(ByteString)
    /// It says nothing to clients.
    case dropped
    /// The vendor reports a failure.
    case failed
  }

  private let vendor: Vendor
  private let model: ByteString
  /// Unix seconds.
  private let now: Int64
  private var hasToolCalls = false

  /// - Parameters:
  ///   - vendor: whose answers they are.
  ///   - model: the name for answers that have none.
  ///   - now: Unix seconds, for answers without a time.
  package init(_ vendor: Vendor, model: ByteString, now: Int64) {
    self.vendor = vendor
    self.model = model
    self.now = now
  }

  /// Looks at a whole answer.
  package mutating func repair(answer text: UnsafeRawBufferPointer) -> Outcome {
    repair(text, isEvent: false)
  }

  /// Looks at the data of one event.
  package mutating func repair(event text: UnsafeRawBufferPointer) -> Outcome {
    repair(text, isEvent: true)
  }

  private mutating func repair(_ text: UnsafeRawBufferPointer, isEvent: Bool) -> Outcome {
    guard JSONQuery.kind(of: text) == .object else { return .unchanged }
    if hasFailed(text) { return .failed }
    let edits = Edits(text)
    let usage = edits.object(JSONQuery.member("usage", in: text))
    if let list = JSONQuery.member("choices", in: text) {
      let inside = UnsafeRawBufferPointer(rebasing: text[list])
      var choice = 0
      while let found = JSONQuery.element(choice, in: inside) {
        let range = list.lowerBound + found.lowerBound..<list.lowerBound + found.upperBound
        guard edit(choice: range, isEvent: isEvent, endsWithUsage: usage != nil, edits) else {
          return .failed
        }
        choice += 1
      }
      if vendor.quirks.contains(.deployments), isEvent, choice == 0, usage == nil {
        return .dropped
      }
      if vendor.quirks.contains(.repeatsAnswer), isEvent,
        JSONQuery.string(["object"], in: text) == "chat.completion"
      {
        edits.reset()
        edits.replace(list, "[]")
        if let object = JSONQuery.member("object", in: text) {
          edits.replace(object, "\"chat.completion.chunk\"")
        }
        if usage == nil { return .dropped }
      }
    }
    if vendor.quirks.contains(.reasoningApart), let usage { addReasoning(usage, edits) }
    if vendor.quirks.contains(.sparseAnswers) { complete(isEvent: isEvent, edits) }
    return edits.outcome
  }

  /// Whether it is an error in the vendor's own form.
  private func hasFailed(_ text: UnsafeRawBufferPointer) -> Bool {
    if vendor.quirks.contains(.sparseAnswers) { return isFailure(AnswerRepair.code, text) }
    guard vendor.quirks.contains(.repeatsAnswer) else { return false }
    return isFailure(AnswerRepair.statusCode, text)
  }

  // Paths are tables of their own: of several literals in one function, Embedded Swift 6.3 takes
  // one for the other.
  private static let code: [StaticString] = ["code"]
  private static let statusCode: [StaticString] = ["base_resp", "status_code"]
  private static let reasoning: [StaticString] = ["completion_tokens_details", "reasoning_tokens"]

  /// Whether there is a code that is not 0.
  private func isFailure(_ path: [StaticString], _ text: UnsafeRawBufferPointer) -> Bool {
    guard let code = VendorErrors.code(path, text) else { return false }
    return code != "0"
  }

  /// Edits one choice; false when it says that the upstream failed.
  private mutating func edit(
    choice: Range<Int>, isEvent: Bool, endsWithUsage: Bool, _ edits: Edits
  ) -> Bool {
    var reason: Range<Int>?
    for member in edits.members(choice) {
      if member.isKey("finish_reason") {
        reason = member.value
      } else if member.isKey("delta") || member.isKey("message") {
        edit(content: member.value, edits)
      }
    }
    if let reason, let word = edits.string(reason),
      let own = Vendor.replacement(of: word, in: vendor.finishReasons)
    {
      if own.isEmpty { return false }
      edits.replace(reason, "\"" + own + "\"")
    }
    if vendor.quirks.contains(.sparseAnswers), reason == nil, !isEvent || endsWithUsage {
      edits.insertMember(
        "finish_reason", hasToolCalls ? "\"tool_calls\"" : "\"stop\"", in: choice)
    }
    return true
  }

  /// Edits a message or a part of one.
  private mutating func edit(content range: Range<Int>, _ edits: Edits) {
    let members = edits.members(range)
    let hasReasoning = members.contains { $0.isKey("reasoning_content") }
    for member in members {
      if member.isKey("reasoning"), vendor.quirks.contains(.namesReasoning), !hasReasoning {
        edits.replace(member.key, "\"reasoning_content\"")
      } else if member.isKey("tool_calls"), vendor.quirks.contains(.sparseAnswers) {
        hasToolCalls = true
        // One call may come without its array.
        guard edits.object(member.value) != nil else { continue }
        edits.replace(member.value.lowerBound..<member.value.lowerBound, "[")
        edits.replace(member.value.upperBound..<member.value.upperBound, "]")
      } else if member.isKey("content"), vendor.quirks.contains(.contentParts) {
        join(member.value, in: range, edits)
      }
    }
  }

  /// Puts text in the place of an array of parts, and thoughts beside it.
  private func join(_ value: Range<Int>, in content: Range<Int>, _ edits: Edits) {
    guard let root = try? JSONDocument(edits.bytes(value)).root, root.kind == .array else { return }
    let text = Buffer()
    let thoughts = Buffer()
    for part in root.elements {
      if let piece = part.member("text")?.string { text.append(piece) }
      guard let list = part.member("thinking") else { continue }
      for thought in list.elements {
        if let piece = thought.member("text")?.string { thoughts.append(piece) }
      }
    }
    edits.replace(value, JSONString.lexeme(text.byteString))
    if !thoughts.isEmpty {
      edits.insertMember(
        "reasoning_content", JSONString.lexeme(thoughts.byteString), in: content)
    }
  }

  /// Counts reasoning into the completion where the sum says that it is not.
  private func addReasoning(_ usage: Range<Int>, _ edits: Edits) {
    let text = edits.slice(usage)
    guard let range = JSONQuery.member("completion_tokens", in: text),
      let completion = number("completion_tokens", text),
      let prompt = number("prompt_tokens", text), let total = number("total_tokens", text),
      let reasoning = JSONQuery.int64(AnswerRepair.reasoning, in: text),
      [completion, prompt, total, reasoning].allSatisfy({ 0...1_000_000_000 ~= $0 }),
      reasoning > 0, prompt + completion + reasoning == total
    else { return }
    edits.replace(
      usage.lowerBound + range.lowerBound..<usage.lowerBound + range.upperBound,
      ByteString(number: completion + reasoning))
  }

  private func number(_ key: StaticString, _ text: UnsafeRawBufferPointer) -> Int64? {
    JSONQuery.member(key, in: text).flatMap {
      JSONNumber.int64(UnsafeRawBufferPointer(rebasing: text[$0]))
    }
  }

  /// Adds what an answer of OpenAI's always has.
  private func complete(isEvent: Bool, _ edits: Edits) {
    let whole = 0..<edits.text.count
    let members = edits.members(whole)
    func lacks(_ key: StaticString) -> Bool { !members.contains { $0.isKey(key) } }
    if lacks("object") {
      edits.insertMember(
        "object", isEvent ? "\"chat.completion.chunk\"" : "\"chat.completion\"", in: whole)
    }
    if lacks("id") {
      let id = JSONQuery.string(["sid"], in: edits.text) ?? .empty
      edits.insertMember("id", JSONString.lexeme("chatcmpl-" + id), in: whole)
    }
    if lacks("created") { edits.insertMember("created", ByteString(number: now), in: whole) }
    if lacks("model") { edits.insertMember("model", JSONString.lexeme(model), in: whole) }
  }
}

/// Edits of one answer.
private final class Edits {
  /// A member of an object, in offsets of the whole text.
  struct Member {
    let text: UnsafeRawBufferPointer
    let key: Range<Int>
    let value: Range<Int>

    func isKey(_ name: StaticString) -> Bool {
      guard key.count == name.utf8CodeUnitCount + 2 else { return false }
      let inside = UnsafeRawBufferPointer(rebasing: text[key].dropFirst().dropLast())
      return inside.bindMemory(to: UInt8.self).span.equals(name)
    }
  }

  let text: UnsafeRawBufferPointer
  private var splice = JSONSplice()

  init(_ text: UnsafeRawBufferPointer) { self.text = text }

  func reset() { splice.reset() }

  func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: text[range])
  }

  func bytes(_ range: Range<Int>) -> ByteString { ByteString(slice(range)) }

  func string(_ range: Range<Int>) -> ByteString? { JSONString.unescaped(slice(range)) }

  /// The range, when an object is there.
  func object(_ range: Range<Int>?) -> Range<Int>? {
    guard let range, JSONQuery.kind(of: slice(range)) == .object else { return nil }
    return range
  }

  func members(_ range: Range<Int>) -> [Member] {
    var found: [Member] = []
    var cursor = JSONMemberCursor(slice(range))
    while cursor.advance() {
      func moved(_ inner: Range<Int>) -> Range<Int> {
        range.lowerBound + inner.lowerBound..<range.lowerBound + inner.upperBound
      }
      found.append(Member(text: text, key: moved(cursor.key), value: moved(cursor.value)))
    }
    return found
  }

  func replace(_ range: Range<Int>, _ bytes: ByteString) { _ = splice.replace(range, with: bytes) }

  /// Adds a member at the beginning of the object.
  func insertMember(_ key: StaticString, _ value: ByteString, in object: Range<Int>) {
    guard let brace = text[object].firstIndex(of: UInt8(ascii: "{")) else { return }
    let comma: ByteString = members(object).isEmpty ? "" : ","
    replace(brace + 1..<brace + 1, "\"" + ByteString(key) + "\":" + value + comma)
  }

  var outcome: AnswerRepair.Outcome {
    if splice.isEmpty { return .unchanged }
    let output = Buffer()
    output.reserve(text.count + 64)
    splice.apply(text, to: output)
    splice.finish(to: output)
    return .changed(output.byteString)
  }
}
