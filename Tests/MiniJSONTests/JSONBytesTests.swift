// SPDX-License-Identifier: MIT
import Testing

@testable import MiniJSON

struct JSONBytesTests {
  @Test func findsEachByteAtEachPlace() {
    for byte in UInt8(0)...255 {
      for count in [1, 3, 4, 7, 8, 9, 16, 31, 32, 33, 47, 70] {
        for position in Set([0, 1, count / 2, count - 1]) where position < count {
          var bytes = [UInt8](repeating: 0x61, count: count)
          bytes[position] = byte
          let isPlain = byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5c
          let isMark = byte == 0x22 || byte == 0x5c
          bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return }
            let end = JSONBytes.plainEnd(base, 0, count)
            if end != (isPlain ? count : position) { Issue.record("\(byte) \(position) \(count)") }
            let mark = JSONBytes.quoteOrBackslash(base, 0, count)
            if mark != (isMark ? position : count) { Issue.record("\(byte) \(position) \(count)") }
            let byWords = (
              JSONBytes.plainEndByWords(base, 0, count),
              JSONBytes.quoteOrBackslashByWords(base, 0, count)
            )
            if byWords != (end, mark) { Issue.record("\(byte) \(position) \(count) by words") }
          }
        }
      }
    }
  }

  @Test func findsNothingBehindTheEnd() {
    let bytes = [UInt8](repeating: 0x61, count: 40)
    bytes.withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return }
      for count in [1, 15, 16, 33] {
        #expect(JSONBytes.plainEnd(base, count + 1, count) == count + 1)
        #expect(JSONBytes.plainEndByWords(base, count + 1, count) == count + 1)
        #expect(JSONBytes.quoteOrBackslash(base, count, count) == count)
      }
    }
  }

  @Test func findsTheFirstOfSeveral() {
    let bytes: [UInt8] = Array("0123456\"\"\\\u{1}9abcdefghi\u{1f}".utf8) + [0x80, 0xff, 0x22]
    bytes.withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return }
      for start in 0..<bytes.count {
        let expected = bytes[start...].firstIndex { !JSONBytes.isPlain($0) } ?? bytes.count
        #expect(JSONBytes.plainEnd(base, start, bytes.count) == expected, "\(start)")
        #expect(JSONBytes.plainEndByWords(base, start, bytes.count) == expected, "\(start)")
      }
    }
  }
}
