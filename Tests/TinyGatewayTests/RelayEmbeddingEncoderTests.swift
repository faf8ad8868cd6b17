// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import TinyGateway

/// Vectors become base64, everything else stays, however the answer is cut.
struct RelayEmbeddingEncoderTests {
  private func run(_ text: String, _ cuts: [Int]) -> (output: String, isBroken: Bool) {
    var encoder = EmbeddingEncoder()
    let output = Buffer()
    for piece in RelayFixtures.pieces(Array(text.utf8), cuts) {
      encoder.read(piece.span, to: output)
    }
    return (output.byteString.text, encoder.isBroken)
  }

  private func check(
    _ text: String, _ expected: String?, _ location: SourceLocation = #_sourceLocation
  ) {
    for cuts in RelayFixtures.cuttings(text.utf8.count) {
      let found = run(text, cuts)
      #expect(found.isBroken == (expected == nil), "\(text)", sourceLocation: location)
      if let expected { #expect(found.output == expected, sourceLocation: location) }
    }
  }

  /// The vector as the official clients read it.
  private func base64(_ values: [Float]) -> String {
    values.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0).base64EncodedString() }
  }

  @Test func encodesVectors() {
    for values: [Float] in [[], [0.5], [1, -2], [0.1, 0.2, 0.3], [1e-5, -0.0, 3.4e38, 7]] {
      let numbers = values.map { "\($0)" }.joined(separator: ",")
      check(
        "{\"data\":[{\"embedding\":[\(numbers)],\"index\":0}],\"x\":[1,2]}",
        "{\"data\":[{\"embedding\":\"\(base64(values))\",\"index\":0}],\"x\":[1,2]}")
    }
    check(
      "{\"embedding\" : [ 1 ,\n2.5e0\t] , \"embedding\":[3]}",
      "{\"embedding\" : \"\(base64([1, 2.5]))\" , \"embedding\":\"\(base64([3]))\"}")
  }

  @Test(arguments: [
    "{\"embedding\":\"AAAAPw==\"}", "{\"object\":\"embedding\",\"x\":[1]}",
    "{\"embeddings\":[1],\"xembedding\":[1],\"embeddin\":[1]}", "{\"embedding\":{\"a\":[1]}}",
    "{\"embedding\":[[1,2],[3]]}", "{\"embedding\":[\"a\"]}", "{\"embedding\":null}",
    "{\"a\\\"embedding\":[1],\"embedding\\n\":[1]}", "{\"a\":\"\\\"embedding\\\":[1]\"}",
    "[\"embedding\",[1]]",
  ])
  func leavesTheRestAlone(_ text: String) { check(text, text) }

  @Test(arguments: ["[1,null]", "[1 2]", "[1,[2]]", "[1,NaN]", "[01]", "[1,--2]", "[1e]"])
  func isBrokenByWhatIsNoNumber(_ vector: String) { check("{\"embedding\":\(vector)}", nil) }

  @Test func isBrokenByEndlessNumbers() {
    check("{\"embedding\":[0.\(String(repeating: "1", count: 70))]}", nil)
  }
}
