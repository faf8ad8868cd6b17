// SPDX-License-Identifier: MIT
import Testing

@testable import Store

struct LogFilterTests {
  private func row(
    status: Int64 = 200, error: Int64 = 0, isGone: Bool = false, isStream: Bool = false
  ) -> LogRecord {
    LogRecord(
      id: 5, requestID: 77, userID: 1, tokenID: 2, channelID: 3, modelID: 4, status: status,
      isStream: isStream, isClientGone: isGone, errorKind: error)
  }

  private func check(
    _ row: LogRecord, isFailure: Bool, isOK: Bool, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(row.isFailure == isFailure, sourceLocation: location)
    for (outcome, expected): (LogFilter.Outcome, Bool) in [
      (.failed, isFailure), (.ok, isOK), (.status(row.status), true), (.status(418), false),
    ] {
      var filter = LogFilter()
      filter.outcome = outcome
      #expect(filter.admits(row) == expected, sourceLocation: location)
    }
  }

  @Test func tellsFailuresFromWhatWentWell() {
    check(row(), isFailure: false, isOK: true)
    check(row(status: 502, error: 8), isFailure: true, isOK: false)
    check(row(status: 429, error: 12), isFailure: true, isOK: false)
    check(row(status: 429), isFailure: true, isOK: false)
    check(row(error: 6), isFailure: true, isOK: false)
  }

  @Test func takesALeavingClientForNeither() {
    check(row(status: 499, error: 11, isGone: true), isFailure: false, isOK: false)
  }

  @Test func admitsIdsBetweenTwoCursors() {
    for (after, before, expected): (Int64?, Int64?, Bool) in [
      (4, nil, true), (5, nil, false), (.max, nil, false), (4, 6, true), (4, 5, false),
      (nil, 6, true),
    ] {
      var filter = LogFilter(before: before)
      filter.after = after
      #expect(filter.admits(row()) == expected)
    }
    var filter = LogFilter(from: 10)
    filter.after = 5
    #expect(filter.idRange.lowest == LogID.first(ofSecond: 10))
  }

  @Test func comparesWhatIsPacked() {
    var filter = LogFilter()
    filter.requestID = 77
    #expect(filter.admits(row()))
    filter.isStream = true
    #expect(!filter.admits(row()) && filter.admits(row(isStream: true)))
    filter.requestID = 78
    #expect(!filter.admits(row(isStream: true)))
  }
}
