// SPDX-License-Identifier: MIT
import Foundation

/// What a stream of the Responses API comes to, and where it breaks that API's rules.
struct ResponsesStreamSum: Equatable {
  /// Names of the events, without deltas.
  var events: [String] = []
  var types: [String] = []
  var texts: [String] = []
  var problems: [String] = []
  var outputTokens = 0
  var last = ""
  private var isOpen: [Bool] = []

  init(_ stream: String) throws {
    var number = 0
    for event in stream.components(separatedBy: "\n\n") where !event.isEmpty {
      let lines = event.split(separator: "\n")
      guard lines.count == 2, lines[0].hasPrefix("event: "), lines[1].hasPrefix("data: "),
        let data = try JSONSerialization.jsonObject(with: Data(lines[1].dropFirst(6).utf8))
          as? [String: Any], let type = data["type"] as? String, lines[0].dropFirst(7) == type
      else {
        problems.append("unreadable: \(event)")
        continue
      }
      if data["sequence_number"] as? Int != number { problems.append("sequence at \(type)") }
      number += 1
      last = type
      if !type.hasSuffix(".delta") { events.append(type) }
      add(type, data)
    }
    if events.prefix(2) != ["response.created", "response.in_progress"] {
      problems.append("begins with \(events.prefix(2))")
    }
  }

  private mutating func add(_ type: String, _ data: [String: Any]) {
    if let item = data["item"] as? [String: Any] { return add(item, type, data) }
    if let index = data["output_index"] as? Int {
      guard isOpen.indices.contains(index), isOpen[index] else {
        return problems.append("\(type) of an item that is not open")
      }
      if type.hasSuffix(".delta") { texts[index] += data["delta"] as? String ?? "?" }
      if type.hasSuffix(".done"), let whole = data["text"] ?? data["arguments"] {
        // A call without arguments has no deltas.
        if texts[index].isEmpty { texts[index] = "{}" }
        if whole as? String != texts[index] { problems.append("\(type) differs from its deltas") }
      }
    }
    guard let response = data["response"] as? [String: Any] else { return }
    let output = response["output"] as? [[String: Any]] ?? []
    if type == "response.completed" {
      if isOpen.contains(true) { problems.append("an item is left open") }
      if output.map({ $0["type"] as? String ?? "" }) != types { problems.append("other items") }
      if output.map(Self.text) != texts { problems.append("other texts: \(output)") }
      outputTokens = (response["usage"] as? [String: Any])?["output_tokens"] as? Int ?? 0
    }
  }

  private mutating func add(_ item: [String: Any], _ event: String, _ data: [String: Any]) {
    let index = data["output_index"] as? Int ?? -1
    if event == "response.output_item.added" {
      if index != types.count { problems.append("an item at \(index)") }
      types.append(item["type"] as? String ?? "")
      texts.append("")
      isOpen.append(true)
    } else if isOpen.indices.contains(index), isOpen[index] {
      isOpen[index] = false
      if Self.text(item) != texts[index] {
        problems.append("item \(index) is done with other text")
      }
    } else {
      problems.append("item \(index) is done twice")
    }
  }

  private static func text(_ item: [String: Any]) -> String {
    if let arguments = item["arguments"] as? String { return arguments }
    let parts = item["content"] ?? item["summary"]
    return (parts as? [[String: Any]])?.first?["text"] as? String ?? ""
  }
}
