// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Ids of requests: their order, and how they are shown.
struct RelayRequestIDTests {
  private func text(_ id: Int64) -> String {
    let buffer = Buffer()
    RequestID.append(id, to: buffer)
    return buffer.byteString.text
  }

  @Test(
    arguments: [
      (0, "0000000000000000"), (1, "0000000000000001"), (0x6_9123_4567_ABCD, "000691234567abcd"),
      (.max, "7fffffffffffffff"), (-1, "ffffffffffffffff"),
    ] as [(Int64, String)])
  func showsSixteenHexadecimalDigits(_ id: Int64, _ expected: String) {
    #expect(text(id) == expected)
  }

  @Test func beginsWithTheTime() {
    let source = RequestIDSource()
    for _ in 0..<100 {
      let before = UnixTime.seconds
      let id = source.next()
      #expect((before...UnixTime.seconds).contains(id >> 16))
    }
  }

  @Test func sortsByTimeAsNumberAndAsText() {
    // The highest id of one second and the lowest of the next.
    let now = UnixTime.seconds
    let (early, late) = (now << 16 | 0xFFFF, (now + 1) << 16)
    #expect(early < late)
    #expect(text(early) < text(late))
  }

  @Test func neverRepeatsWithinASecond() {
    let source = RequestIDSource()
    let ids = (0..<20_000).map { _ in source.next() }
    #expect(Set(ids).count == ids.count)
    #expect(ids.allSatisfy { $0 > 0 })
  }

  @Test func tellsTheIDInBothHeaders() {
    let buffer = Buffer()
    RequestID.appendHeaders(0xAB, to: buffer)
    #expect(
      buffer.byteString.text
        == "X-Oneapi-Request-Id: 00000000000000ab\r\nX-Request-Id: 00000000000000ab\r\n")
  }
}
