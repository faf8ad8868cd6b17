// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct StatusTests {
  @Test func hasAPhrase() {
    for (code, phrase): (Int, ByteString) in [
      (100, "Continue"), (200, "OK"), (404, "Not Found"), (413, "Content Too Large"),
      (431, "Request Header Fields Too Large"), (502, "Bad Gateway"), (299, ""), (999, ""),
    ] {
      #expect(ByteString(Status(code).reason) == phrase)
    }
  }

  @Test func isItsCode() {
    #expect(Status(200) == .ok)
    #expect(Status(503) == .serviceUnavailable)
    #expect(Status(400) != .notFound)
  }
}
