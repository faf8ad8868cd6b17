// SPDX-License-Identifier: MIT
import Foundation

/// What a stream in OpenAI's format comes to, however it is cut into chunks.
struct OpenAIStreamSum: Equatable {
  struct Call: Equatable {
    var id = ""
    var name = ""
    var arguments = ""
  }

  var roles = 0
  var text = ""
  var reasoning = ""
  var calls: [Int: Call] = [:]
  var finish: [String] = []
  var usage: [String] = []
  var ids: Set<String> = []
  var models: Set<String> = []
  var isDone = false
  var hasError = false

  init(_ stream: String) {
    for line in stream.split(whereSeparator: \.isNewline) where line.hasPrefix("data:") {
      let data = line.dropFirst(5).trimmingCharacters(in: .whitespaces)
      if data == "[DONE]" {
        isDone = true
        continue
      }
      guard
        let chunk = try? JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
      else {
        finish.append("unreadable: \(data)")
        continue
      }
      add(chunk)
    }
    // Compared as values: spaces and the order of members do not count.
    for (index, call) in calls {
      if let parsed = try? JSONSerialization.jsonObject(with: Data(call.arguments.utf8)) {
        calls[index]?.arguments = DialectFixture.text(parsed)
      }
    }
  }

  private mutating func add(_ chunk: [String: Any]) {
    if chunk["error"] != nil {
      hasError = true
      return
    }
    if let id = chunk["id"] as? String { ids.insert(id) }
    if let model = chunk["model"] as? String { models.insert(model) }
    if let counts = chunk["usage"] as? [String: Any] {
      usage.append(DialectFixture.text(DialectFixture.normal(counts)))
    }
    guard let choice = (chunk["choices"] as? [[String: Any]])?.first else { return }
    if let reason = choice["finish_reason"] as? String { finish.append(reason) }
    guard let delta = choice["delta"] as? [String: Any] else { return }
    if delta["role"] != nil { roles += 1 }
    text += delta["content"] as? String ?? ""
    reasoning += delta["reasoning_content"] as? String ?? ""
    for call in delta["tool_calls"] as? [[String: Any]] ?? [] {
      let index = call["index"] as? Int ?? -1
      calls[index, default: Call()].id += call["id"] as? String ?? ""
      let function = call["function"] as? [String: Any]
      calls[index]?.name += function?["name"] as? String ?? ""
      calls[index]?.arguments += function?["arguments"] as? String ?? ""
    }
  }
}
