// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// The owner's list of statuses after which another channel is tried.
struct RoutingRetryStatusesTests {
  private func check(
    _ text: ByteString, _ expected: [ClosedRange<Int>],
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let statuses = try #require(RetryStatuses(text), "\(text.text)", sourceLocation: location)
    for status in -1...1000 {
      #expect(
        statuses.contains(status) == expected.contains { $0.contains(status) }, "\(status)",
        sourceLocation: location)
    }
  }

  @Test func readsStatusesAndRanges() throws {
    try check("429", [429...429])
    try check("408,409,429,500-599", [408...409, 429...429, 500...599])
    try check("400-599", [400...599])
    try check("400,599", [400...400, 599...599])
    try check("500-500", [500...500])
    try check("500-510,505-520,500", [500...520])
    try check(" 429 ,\t502 , 503-504 ", [429...429, 502...504])
    try check("429,,502,", [429...429, 502...502])
    try check("0429", [429...429])
  }

  @Test func takesNothingForNone() throws {
    for text: ByteString in ["", " ", ",", " , ,"] { try check(text, []) }
    #expect(RetryStatuses("") == RetryStatuses())
  }

  @Test(arguments: [
    "a", "4xx", "5**", "429a", "399", "600", "0", "200", "-429", "+429", "429-", "-", "--",
    "500-600", "399-500", "502-501", "500-", "-500", "500--599", "500-599-", "500-550-599",
    "500 - 599", "500- 599", "500 599", "429;502", "429/502", "4.29", "0x1AD", "429,x", "x,429",
    "4294967696", "18446744073709552045", "429,99999999999999999999", "4\u{0}29", "429\n",
    "\u{664}\u{662}\u{669}", "500–599",
  ])
  func refusesAnythingElse(_ text: String) {
    #expect(RetryStatuses(ByteString(utf8: text)) == nil)
  }
}
