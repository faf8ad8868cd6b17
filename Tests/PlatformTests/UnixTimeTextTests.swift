// SPDX-License-Identifier: MIT
import Platform
import Testing

struct UnixTimeTextTests {
  private func check(
    _ seconds: Int64, _ http: ByteString, _ timestamp: ByteString, _ compact: ByteString
  ) {
    let buffer = Buffer()
    UnixTime.appendHTTPDate(seconds, to: buffer)
    #expect(buffer.byteString == http)
    #expect(UnixTime.timestamp(seconds) == timestamp)
    #expect(UnixTime.compactTimestamp(seconds) == compact)
  }

  @Test func writesTimesBefore1970() {
    check(-1, "Wed, 31 Dec 1969 23:59:59 GMT", "1969-12-31T23:59:59Z", "19691231T235959Z")
    check(-86_401, "Tue, 30 Dec 1969 23:59:59 GMT", "1969-12-30T23:59:59Z", "19691230T235959Z")
  }

  @Test func outlivesAnyNumber() {
    for seconds in [Int64.min, .min + 86_398, .max] { _ = UnixTime.timestamp(seconds) }
  }

  @Test func writesKnownTimes() {
    check(0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z", "19700101T000000Z")
    check(
      784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "19941106T084937Z")
    check(
      1_700_000_000, "Tue, 14 Nov 2023 22:13:20 GMT", "2023-11-14T22:13:20Z", "20231114T221320Z")
    check(
      1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59Z", "20240229T235959Z")
  }
}
