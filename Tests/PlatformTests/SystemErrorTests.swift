// SPDX-License-Identifier: MIT
import Glibc
import Testing

@testable import Platform

struct SystemErrorTests {
  @Test func passesResultsThrough() throws {
    #expect(try SystemError.check(0, "open") == 0)
    #expect(try SystemError.check(7, "open") == 7)
  }

  @Test func throwsTheErrno() {
    let error = #expect(throws: SystemError.self) { try SystemError.check(-EACCES, "open") }
    #expect(error?.number == EACCES)
    #expect(error?.text == "Permission denied")
    #expect(error.map { ByteString($0.call) } == "open")
  }

  @Test func describesEveryNumber() {
    #expect(SystemError.describe(ECONNREFUSED) == "Connection refused")
    #expect(!SystemError.describe(99999).isEmpty)
  }
}
