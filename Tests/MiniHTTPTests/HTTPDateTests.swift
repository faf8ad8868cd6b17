// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct HTTPDateTests {
  /// The year 2026.
  private let now: Int64 = 1_780_000_000

  private func seconds(_ text: String, now: Int64? = nil) -> Int64? {
    let bytes = Array(text.utf8)
    return HTTPDate.seconds(bytes.span, now: now ?? self.now)
  }

  @Test(
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
      ("Sun Nov  6 08:49:37 1994", 784_111_777),
      ("Wed Nov 16 08:49:37 1994", 784_975_777),
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Mon, 28 Feb 2000 23:59:59 GMT", 951_782_399),
      ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
      ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
      ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
      ("Thu, 01 Jan 2026 00:00:00 GMT", 1_767_225_600),
      ("Tue, 19 Jan 2038 03:14:08 GMT", 2_147_483_648),
      ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
      ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
    ] as [(String, Int64)])
  func readsADateAndNoPartOfIt(_ text: String, _ expected: Int64) {
    #expect(seconds(text) == expected)
    for count in 0..<text.utf8.count {
      #expect(seconds(String(text.prefix(count))) == nil, "\(count) bytes")
    }
    #expect(seconds(text + " ") == nil && seconds(" " + text) == nil)
  }

  /// What `DateField` writes is read back, for every day of the years around leap days.
  @Test func readsWhatTheServerWrites() {
    for day: Int64 in stride(from: 0, to: 60_000, by: 1) {
      let written = DateField.line(day * 86_400 + day).bytes.dropFirst(6).dropLast(2)
      #expect(HTTPDate.seconds(Array(written).span, now: now) == day * 86_400 + day)
    }
  }

  @Test func findsTheCenturyOfAShortYear() {
    #expect(seconds("Thursday, 01-Jan-26 00:00:00 GMT") == 1_767_225_600)
    #expect(seconds("Wednesday, 01-Jan-76 00:00:00 GMT") == 3_345_062_400)
    #expect(seconds("Saturday, 01-Jan-77 00:00:00 GMT") == 220_924_800)
    #expect(seconds("Friday, 01-Jan-00 00:00:00 GMT", now: 4_102_444_800) == 4_102_444_800)
  }

  @Test(arguments: [
    "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06-Nov-1994 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 29 Feb 2100 08:49:37 GMT",
    "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
    "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov 19940 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94", "Sun Nov  6 08:49:37 1994 GMT",
    "Son, 06 Nov 1994 08:49:37 GMT", "Sun,06 Nov 1994 08:49:37 GMT", ",", "Sun,", "Sunday",
  ])
  func refusesAnythingElse(_ text: String) {
    #expect(seconds(text) == nil)
  }
}
