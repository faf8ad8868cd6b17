// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniJSON

struct JSONSpliceTests {
  private let original = Array("0123456789".utf8)

  private func apply(_ splice: inout JSONSplice, _ text: [UInt8], cuts: [Int]) -> String {
    let buffer = Buffer()
    var start = 0
    for end in cuts + [text.count] {
      splice.apply(Array(text[start..<end]).span, to: buffer)
      #expect(splice.position == end)
      start = end
    }
    splice.finish(to: buffer)
    return String(decoding: buffer.readable, as: UTF8.self)
  }

  /// Applies edits in every way of cutting, twice.
  private func check(_ edits: [(Range<Int>, ByteString)], _ expected: String) {
    var splice = JSONSplice()
    for (range, bytes) in edits {
      let isAccepted = splice.replace(range, with: bytes)
      #expect(isAccepted, "\(range)")
    }
    #expect(splice.byteCountChange == expected.utf8.count - original.count)
    for first in 0...original.count {
      for second in first...original.count {
        #expect(apply(&splice, original, cuts: [first, second]) == expected, "\(first) \(second)")
        splice.rewind()
      }
    }
    #expect(apply(&splice, original, cuts: Array(1..<10)) == expected)
  }

  @Test func copiesWithoutEdits() { check([], "0123456789") }

  @Test func appliesEdits() {
    check([(3..<5, "abc")], "012abc56789")
    check([(0..<1, "")], "123456789")
    check([(9..<10, "xyz")], "012345678xyz")
    check([(0..<10, "")], "")
    check([(0..<10, "new")], "new")
    check([(4..<4, "-")], "0123-456789")
    check([(0..<0, "<"), (10..<10, ">")], "<0123456789>")
    check([(10..<10, "a"), (10..<10, "b")], "0123456789ab")
    check([(5..<5, "a"), (5..<5, "b")], "01234ab56789")
    check([(7..<8, "B"), (2..<3, "A")], "01A3456B89")
    check([(2..<4, "A"), (4..<6, "B")], "01AB6789")
    check([(4..<6, "B"), (2..<4, "A"), (4..<4, "|")], "01A|B6789")
    check([(4..<6, "B"), (6..<6, "|")], "0123B|6789")
    check([(6..<6, "|"), (4..<6, "B")], "0123B|6789")
  }

  @Test func refusesOverlaps() {
    var splice = JSONSplice()
    let isFirstAccepted = splice.replace(3..<6, with: "x")
    #expect(isFirstAccepted)
    for range in [3..<6, 3..<4, 5..<8, 0..<4, 4..<4, 2..<7] {
      let isAccepted = splice.replace(range, with: "y")
      #expect(!isAccepted, "\(range)")
    }
    #expect(apply(&splice, original, cuts: []) == "012x6789")
  }

  @Test func takesEditsWhileTextPasses() {
    var splice = JSONSplice()
    let buffer = Buffer()
    splice.apply(Array("0123".utf8).span, to: buffer)
    let isPastAccepted = splice.replace(3..<5, with: "x")
    let isPresentAccepted = splice.replace(4..<6, with: "ab")
    #expect(!isPastAccepted)
    #expect(isPresentAccepted)
    splice.apply(Array("4".utf8).span, to: buffer)
    let isInsideAccepted = splice.insert("x", at: 5)
    let isBehindAccepted = splice.insert("y", at: 6)
    #expect(!isInsideAccepted)
    #expect(isBehindAccepted)
    splice.apply(Array("56789".utf8).span, to: buffer)
    splice.finish(to: buffer)
    #expect(buffer.byteString == "0123aby6789")
  }

  @Test func forgetsOnReset() {
    var splice = JSONSplice()
    let isAccepted = splice.replace(0..<10, with: "x")
    #expect(isAccepted && !splice.isEmpty)
    splice.reset()
    #expect(splice.isEmpty && splice.byteCountChange == 0)
    #expect(apply(&splice, original, cuts: []) == "0123456789")
  }
}
