// SPDX-License-Identifier: MIT
import Foundation

/// What a stream of Anthropic's Messages API comes to, and what of it a strict client refuses.
struct AnthropicStreamSum: Equatable {
  struct Block: Equatable {
    var type = ""
    var text = ""
    var signature = ""
    var id = ""
    var name = ""
  }

  var id = ""
  var model = ""
  var blocks: [Block] = []
  var stopReason = ""
  /// Of the last event that has counts.
  var usage: [String: Int] = [:]
  var isStopped = false
  var errorType = ""
  /// Breaches of the order and form of events.
  var faults: [String] = []
  private var openBlock: Int?
  private var hasStarted = false

  init(_ stream: String) {
    for event in stream.components(separatedBy: "\n\n") where !event.isEmpty {
      let lines = event.components(separatedBy: "\n")
      guard lines.count == 2, lines[0].hasPrefix("event: "), lines[1].hasPrefix("data: "),
        let data = try? JSONSerialization.jsonObject(with: Data(lines[1].dropFirst(6).utf8)),
        let object = data as? [String: Any]
      else {
        faults.append("unreadable: \(event)")
        continue
      }
      let type = object["type"] as? String ?? ""
      if lines[0].dropFirst(7) != type { faults.append("\(lines[0]) for \(type)") }
      if isStopped { faults.append("\(type) behind the end") }
      add(type, object)
    }
    for (index, block) in blocks.enumerated() where block.type == "tool_use" {
      let text = block.text.isEmpty ? "{}" : block.text
      if let parsed = try? JSONSerialization.jsonObject(with: Data(text.utf8)) {
        blocks[index].text = DialectFixture.text(parsed)
      } else {
        faults.append("no JSON: \(text)")
      }
    }
  }

  private mutating func add(_ type: String, _ event: [String: Any]) {
    if type == "ping" { return }
    if !hasStarted, type != "message_start", type != "error" {
      faults.append("\(type) comes first")
    }
    switch type {
    case "message_start": start(event["message"] as? [String: Any] ?? [:])
    case "content_block_start": begin(event)
    case "content_block_delta": delta(event)
    case "content_block_stop":
      if event["index"] as? Int != openBlock || openBlock == nil {
        faults.append("stop of another")
      }
      openBlock = nil
    case "message_delta":
      if openBlock != nil { faults.append("message_delta within a block") }
      stopReason = (event["delta"] as? [String: Any])?["stop_reason"] as? String ?? ""
      count(event["usage"])
    case "message_stop": isStopped = true
    case "error":
      errorType = (event["error"] as? [String: Any])?["type"] as? String ?? ""
    default: faults.append("unknown event \(type)")
    }
  }

  private mutating func start(_ message: [String: Any]) {
    if hasStarted { faults.append("starts twice") }
    hasStarted = true
    id = message["id"] as? String ?? ""
    model = message["model"] as? String ?? ""
    if message["type"] as? String != "message" { faults.append("type of the message") }
    if message["role"] as? String != "assistant" { faults.append("role of the message") }
    if (message["content"] as? [Any])?.isEmpty != true { faults.append("content of the start") }
    count(message["usage"])
  }

  private mutating func begin(_ event: [String: Any]) {
    if openBlock != nil { faults.append("begins within a block") }
    if event["index"] as? Int != blocks.count { faults.append("index of a block") }
    openBlock = blocks.count
    let content = event["content_block"] as? [String: Any] ?? [:]
    var block = Block()
    block.type = content["type"] as? String ?? ""
    block.id = content["id"] as? String ?? ""
    block.name = content["name"] as? String ?? ""
    blocks.append(block)
  }

  private mutating func delta(_ event: [String: Any]) {
    guard let index = openBlock, event["index"] as? Int == index,
      let delta = event["delta"] as? [String: Any]
    else { return faults.append("delta of another block") }
    let type = delta["type"] as? String ?? ""
    let fields = [
      "text_delta": ("text", "text"), "thinking_delta": ("thinking", "thinking"),
      "signature_delta": ("signature", "thinking"),
      "input_json_delta": ("partial_json", "tool_use"),
    ]
    guard let (field, kind) = fields[type], blocks[index].type == kind,
      let piece = delta[field] as? String
    else { return faults.append("\(type) in \(blocks[index].type)") }
    if type == "signature_delta" {
      blocks[index].signature += piece
    } else {
      blocks[index].text += piece
    }
  }

  private mutating func count(_ value: Any?) {
    guard let counts = value as? [String: Any] else { return faults.append("no usage") }
    for (key, value) in counts {
      if let value = value as? Int, value > 0 { usage[key] = value }
    }
  }
}
