// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads answers of the Responses API that are passed on: how they end, their usage, and their
/// text for estimates.
final class ResponsesDecoder: ChatDecoder {
  func read(_ event: StreamEvent, into events: inout [ChatEvent]) {
    guard let root = event.json(orFailIn: &events), let type = root.member("type")?.string else {
      return
    }
    if let response = root.member("response") {
      return read(answer: response, isBeginning: type == "response.created", into: &events)
    }
    if type == "error" {
      let format = Dialect.responses.errors
      events.append(.failure(ErrorAnswer(status: 200, answer: root, format: format)))
    } else if let piece = root.member("delta")?.string {
      events.append(.text(piece))
    }
  }

  func read(answer: JSONValue, into events: inout [ChatEvent]) {
    for item in answer.member("output")?.elements ?? answer.elements {
      if let text = item.member("arguments")?.string { events.append(.text(text)) }
      guard let content = item.member("content") else { continue }
      for part in content.elements {
        if let text = part.member("text")?.string { events.append(.text(text)) }
      }
    }
    read(answer: answer, isBeginning: false, into: &events)
    // Work in the background is no failure: the client asks for it later.
    let hasFailed = events.contains { event in
      if case .failure = event { return true }
      return false
    }
    if !hasFailed, answer.member("id") != nil { events.append(.finish(.stop)) }
  }

  private func read(answer: JSONValue, isBeginning: Bool, into events: inout [ChatEvent]) {
    if isBeginning {
      events.append(
        .start(
          id: answer.member("id")?.string ?? .empty,
          created: answer.member("created_at")?.int64 ?? 0))
    }
    if let error = answer.member("error"), !error.isNull {
      let format = Dialect.responses.errors
      events.append(.failure(ErrorAnswer(status: 200, answer: answer, format: format)))
      return
    }
    if let usage = answer.member("usage"), usage.kind == .object {
      events.append(.usage(OpenAIDecoder.usage(usage)))
    }
    guard let status = answer.member("status")?.string else { return }
    if status == "completed" { events.append(.finish(.stop)) }
    if status == "incomplete" { events.append(.finish(.length)) }
  }

  func end(into events: inout [ChatEvent]) {}
}

extension Dialect {
  /// OpenAI's Responses API, for vendors that have it beside chat completions; requests in it are
  /// passed on, others are not written in it.
  package static let responses = Dialect(
    name: "responses", writes: [], drops: [], framing: .events, errors: openAIErrors,
    head: { _ in CallHead(path: "/responses") },
    encode: { (_, _, _) throws(ChatProblem) in
      throw ChatProblem("Requests are not written in the format of the Responses API.")
    },
    makeDecoder: { _ in ResponsesDecoder() })
}
