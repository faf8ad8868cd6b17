// SPDX-License-Identifier: MIT
import Platform

/// What a model knows, as far as its name tells.
///
/// Source: https://docs.anthropic.com/en/docs/about-claude/models, read 2026-11.
struct AnthropicModel {
  /// Major and minor version as one number: 45 for 4.5.
  let version: Int

  /// Reads `claude-3-5-sonnet-20241022`, `claude-opus-4-8`, `claude-sonnet-5`; a name without a
  /// version counts as a new model's.
  init(_ name: ByteString) {
    var numbers: [Int] = []
    var value = 0
    var digits = 0
    for byte in name.bytes + [0x20] {
      if ASCII.isDigit(byte) {
        value = digits < 3 ? value * 10 + Int(byte - 0x30) : value
        digits += 1
        continue
      }
      // A date ends the version.
      if digits > 2 { break }
      if digits > 0, numbers.count < 2 { numbers.append(value) }
      (value, digits) = (0, 0)
    }
    version = numbers.isEmpty ? 99 : numbers[0] * 10 + min(9, numbers.count > 1 ? numbers[1] : 0)
  }

  /// Thinking before the answer.
  var thinks: Bool { version >= 37 }
  /// Thinking as long as the model finds right, guided by an effort instead of a budget.
  var isAdaptive: Bool { version >= 46 }
  /// Answers by a JSON schema, and strict schemas of tools.
  var knowsSchemas: Bool { version >= 45 }
  /// Temperature and top_p in one request.
  var takesBothSamplings: Bool { version < 41 }
  /// Any of temperature, top_p and top_k.
  var takesSampling: Bool { version < 47 }
}
