// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes answers in the form of OpenAI's Responses API: an object with items, or its events.
///
/// One item of text is open at a time; calls stay open to the end, since chat protocols may mix
/// their arguments.
/// Source: https://platform.openai.com/docs/api-reference/responses-streaming, read 2026-11.
package final class ResponsesWriter: ChatWriter {
  private let document: ResponsesDocument
  private var ids: IDSource
  private let stem: ByteString
  private var hasBegun = false
  private var sequence: Int64 = 0
  /// The response is the vendor's.
  private var isPassed = false
  private var items: [ResponsesItem] = []
  /// The item of text that is open.
  private var openIndex: Int?
  /// Places of the calls in `items`.
  private var calls: [Int] = []
  private var finish = FinishReason.stop
  private var usage: ChatUsage?

  package init(_ facts: AnswerFacts) {
    ids = IDSource(facts.idStem)
    stem = facts.idStem
    document = ResponsesDocument(facts, id: "resp_" + ids.answerID)
  }

  package var streamType: StaticString { "text/event-stream" }

  package func write(_ event: ChatEvent, to output: Buffer) {
    switch event {
    case .start: begin(output)
    case .text(let piece): add(piece, .message, output)
    case .refusal(let piece): add(piece, .refusal, output)
    case .reasoning(let piece): add(piece, .reasoning, output)
    case .reasoningSignature(let seal):
      openItem(.reasoning, output)
      if let index = openIndex { items[index].signature.append(seal) }
    case .toolCall(_, let id, let name, let signature):
      close(output)
      begin(output)
      calls.append(items.count)
      addItem(.call, output) { item in
        item.callID = id.isEmpty ? ids.nextCallID() : id
        item.name = name
        item.signature = signature
      }
    case .arguments(let index, let piece):
      guard calls.indices.contains(index) else { return }
      delta(piece, calls[index], output)
    case .finish(let reason): finish = reason
    case .usage(let usage): self.usage = usage
    case .failure, .follow, .vectors: return
    }
  }

  package func end(to output: Buffer) {
    begin(output)
    closeAll(output)
    send(finish.endsEarly ? "response.incomplete" : "response.completed", output) { json in
      json.key("response")
      document.write(items, finish, usage ?? ChatUsage(), &json)
    }
  }

  package func passed(_ eventCount: Int64) {
    hasBegun = true
    isPassed = true
    sequence = eventCount
  }

  package func fail(_ error: ClientError, to output: Buffer) {
    begin(output)
    send("error", output) { json in
      json.member("code", error.code)
      json.member("message", error.message)
      json.key("param")
      if error.field.isEmpty { json.null() } else { json.string(error.field) }
    }
    if isPassed { return }
    send("response.failed", output) { json in
      json.key("response")
      document.write(items, error: error, &json)
    }
  }

  package func write(answer: ChatAnswer, to output: Buffer) {
    if !answer.reasoning.isEmpty || !answer.reasoningSignature.isEmpty {
      addWhole(.reasoning, answer.reasoning.byteString)
      items[0].signature = answer.reasoningSignature
    }
    if !answer.text.isEmpty { addWhole(.message, answer.text.byteString) }
    if !answer.refusal.isEmpty { addWhole(.refusal, answer.refusal) }
    for call in answer.completedCalls {
      addWhole(.call, call.arguments)
      items[items.count - 1].callID = call.id.isEmpty ? ids.nextCallID() : call.id
      items[items.count - 1].name = call.name
      items[items.count - 1].signature = call.signature
    }
    var json = JSONWriter(output)
    document.write(items, answer.finish ?? .stop, answer.usage ?? ChatUsage(), &json)
  }

  // Items.

  private func makeItem(_ kind: ResponsesItem.Kind) -> ResponsesItem {
    ResponsesItem(
      kind, id: ByteString(kind.prefix) + stem + "_" + ByteString(number: Int64(items.count)))
  }

  private func addWhole(_ kind: ResponsesItem.Kind, _ text: ByteString) {
    var item = makeItem(kind)
    item.isOpen = false
    item.text.append(text)
    items.append(item)
  }

  private func addItem(
    _ kind: ResponsesItem.Kind, _ output: Buffer, _ complete: (inout ResponsesItem) -> Void
  ) {
    var item = makeItem(kind)
    complete(&item)
    items.append(item)
    send("response.output_item.added", output) { json in
      json.member("output_index", Int64(items.count - 1))
      json.key("item")
      item.write(&json)
    }
  }

  /// Opens an item of text, unless the open one is of that kind.
  private func openItem(_ kind: ResponsesItem.Kind, _ output: Buffer) {
    if let index = openIndex, items[index].kind == kind { return }
    close(output)
    begin(output)
    openIndex = items.count
    addItem(kind, output) { _ in }
    send(kind.partAdded, items.count - 1, output) { json in
      json.key("part")
      items[items.count - 1].writePart(&json)
    }
  }

  private func add(_ piece: ByteString, _ kind: ResponsesItem.Kind, _ output: Buffer) {
    guard !piece.isEmpty else { return }
    openItem(kind, output)
    delta(piece, items.count - 1, output)
  }

  private func delta(_ piece: ByteString, _ index: Int, _ output: Buffer) {
    items[index].text.append(piece)
    let kind = items[index].kind
    send(kind.delta, index, output) { json in
      json.member("delta", piece)
      if kind == .message { json.emptyArray("logprobs") }
    }
  }

  /// Closes the open item of text.
  private func close(_ output: Buffer) {
    guard let index = openIndex else { return }
    openIndex = nil
    close(index, output)
  }

  private func closeAll(_ output: Buffer) {
    close(output)
    for index in calls { close(index, output) }
  }

  private func close(_ index: Int, _ output: Buffer) {
    let kind = items[index].kind
    items[index].isOpen = false
    if kind == .call, items[index].text.isEmpty { items[index].text.append("{}") }
    let item = items[index]
    send(kind.done, index, output) { json in
      json.key(kind.textKey)
      json.string(item.text.readable)
      if kind == .message { json.emptyArray("logprobs") }
    }
    if kind != .call {
      send(kind.partDone, index, output) { json in
        json.key("part")
        item.writePart(&json)
      }
    }
    send("response.output_item.done", output) { json in
      json.member("output_index", Int64(index))
      json.key("item")
      item.write(&json)
    }
  }

  // Events.

  private func begin(_ output: Buffer) {
    guard !hasBegun else { return }
    hasBegun = true
    for name in ["response.created", "response.in_progress"] as [StaticString] {
      send(name, output) { json in
        json.key("response")
        document.writeBeginning(&json)
      }
    }
  }

  /// Appends an event about the text of an item.
  private func send(
    _ name: StaticString, _ index: Int, _ output: Buffer, _ write: (inout JSONWriter) -> Void
  ) {
    let item = items[index]
    send(name, output) { json in
      json.member("item_id", item.id)
      json.member("output_index", Int64(index))
      if item.kind != .call { json.member(item.kind.indexKey, Int64(0)) }
      write(&json)
    }
  }

  @inline(never)
  private func send(
    _ name: StaticString, _ output: Buffer, _ write: (inout JSONWriter) -> Void
  ) {
    output.append("event: ")
    output.append(name)
    output.append("\ndata: ")
    var json = JSONWriter(output)
    json.beginObject()
    json.member("type", name)
    json.member("sequence_number", sequence)
    sequence += 1
    write(&json)
    json.endObject()
    output.append("\n\n")
  }
}

extension FinishReason {
  /// Whether the text was cut.
  var endsEarly: Bool { self == .length || self == .contentFilter }
}
