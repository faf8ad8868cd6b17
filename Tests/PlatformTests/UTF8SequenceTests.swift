// SPDX-License-Identifier: MIT
import Platform
import Testing

struct UTF8SequenceTests {
  private func check(_ bytes: [UInt8]) {
    let isUTF8 = bytes.span.isUTF8
    #expect(isUTF8 == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
  }

  @Test func acceptsTextOfEveryLength() {
    for text in ["", "a", "é", "漢", "😀", "a é 漢 😀"] { check([UInt8](text.utf8)) }
  }

  /// Every lead byte with continuation bytes from the edges of their ranges.
  @Test func agreesWithTheStandardLibrary() {
    let edges: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
    for lead: UInt8 in 0x7E...0xFF {
      check([lead])
      for second in edges {
        check([lead, second])
        for third in edges {
          check([lead, second, third])
          check([lead, second, third, 0x80])
        }
      }
    }
  }
}
