// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct DateFieldTests {
  private func check(_ seconds: Int64, _ expected: ByteString) {
    let line = DateField.line(seconds)
    #expect(line == ByteString("Date: ") + expected + ByteString(" GMT\r\n"), "\(line.text)")
  }

  @Test func writesKnownDates() {
    check(0, "Thu, 01 Jan 1970 00:00:00")
    check(784_111_777, "Sun, 06 Nov 1994 08:49:37")  // RFC 9110 §5.6.7
    check(951_782_399, "Mon, 28 Feb 2000 23:59:59")
    check(951_782_400, "Tue, 29 Feb 2000 00:00:00")
    check(951_868_800, "Wed, 01 Mar 2000 00:00:00")
    check(1_000_000_000, "Sun, 09 Sep 2001 01:46:40")
    check(1_709_251_199, "Thu, 29 Feb 2024 23:59:59")
    check(1_709_251_200, "Fri, 01 Mar 2024 00:00:00")
    check(1_767_225_599, "Wed, 31 Dec 2025 23:59:59")
    check(1_767_225_600, "Thu, 01 Jan 2026 00:00:00")
    check(2_147_483_648, "Tue, 19 Jan 2038 03:14:08")
    check(4_107_542_399, "Sun, 28 Feb 2100 23:59:59")
    check(4_107_542_400, "Mon, 01 Mar 2100 00:00:00")
    check(253_402_300_799, "Fri, 31 Dec 9999 23:59:59")
  }

  @Test func repeatsItselfWithinASecond() throws {
    let field = DateField(loop: try EventLoop())
    let (first, second) = (Buffer(), Buffer())
    field.append(to: first)
    field.append(to: second)
    #expect(first.byteString == second.byteString)
    #expect(first.isEmpty != UnixTime.isPlausible)
  }
}
