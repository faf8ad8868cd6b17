// SPDX-License-Identifier: MIT
// with: Sources/TinyGateway/Relay/EmbeddingEncoder.swift
import MiniJSON
import Platform

/// One input of libFuzzer: two bytes choose where the answer is cut, the rest is the answer.
///
/// Besides not crashing: every cutting gives the same, and what was JSON stays JSON.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 2 else { return 0 }
  let text = [UInt8](UnsafeBufferPointer(start: start + 2, count: count - 2))
  let whole = EmbeddingFuzz.run(text, [text.count])
  for steps in [[1 + Int(start[0]) % 64, 1 + Int(start[1]) % 64], [1]] {
    let cut = EmbeddingFuzz.run(text, steps)
    precondition(cut.isBroken == whole.isBroken, "cuts change what is broken")
    precondition(whole.isBroken || cut.output == whole.output, "cuts change the answer")
  }
  if !whole.isBroken, EmbeddingFuzz.isJSON(text) {
    precondition(EmbeddingFuzz.isJSON(whole.output), "no JSON any more")
  }
  return 0
}

enum EmbeddingFuzz {
  static func run(_ text: [UInt8], _ steps: [Int]) -> (output: [UInt8], isBroken: Bool) {
    var encoder = EmbeddingEncoder()
    let output = Buffer()
    var index = 0
    var turn = 0
    while index < text.count {
      let end = min(index + steps[turn % steps.count], text.count)
      encoder.read(text.span.extracting(index..<end), to: output)
      index = end
      turn += 1
    }
    return (Array(output.readable), encoder.isBroken)
  }

  static func isJSON(_ text: [UInt8]) -> Bool {
    let scanner = JSONScanner(requiresObject: false, refusesDuplicates: false)
    do throws(JSONError) {
      try scanner.scan(text.span)
      try scanner.finish()
      return true
    } catch {
      return false
    }
  }
}
