// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Live figures: the last hour by minute, the last 30 days by hour.
struct StateChannelStatisticsTests {
  /// A full hour, in Unix seconds.
  private static let start: Int64 = 1_760_000_400

  private func attempt(
    _ kind: ErrorKind = .none, milliseconds: Int64 = 100, firstByte: Int64? = 40,
    prompt: Int64 = 10, completion: Int64 = 5
  ) -> ChannelAttempt {
    ChannelAttempt(
      channelID: 1, isSuccess: kind == .none, errorKind: kind.rawValue,
      latencyMilliseconds: milliseconds, firstByteMilliseconds: firstByte, promptTokens: prompt,
      completionTokens: completion)
  }

  private func statistics(_ offsets: Int64...) -> ChannelStatistics {
    let statistics = ChannelStatistics()
    for offset in offsets { statistics.add(attempt(), at: Self.start + offset) }
    return statistics
  }

  /// Minutes since the start, and how many requests each holds.
  private func minutes(_ statistics: ChannelStatistics) -> [[Int64]] {
    statistics.byMinute.all.map { [$0.period - Self.start / 60, $0.requests] }
  }

  private func hours(_ statistics: ChannelStatistics) -> [[Int64]] {
    statistics.byHour.all.map { [$0.period - Self.start / 3600, $0.requests] }
  }

  @Test func addsUpWhatHappened() throws {
    let statistics = ChannelStatistics()
    statistics.add(attempt(), at: Self.start)
    statistics.add(
      attempt(.timeout, milliseconds: 300, firstByte: nil, prompt: 0, completion: 0),
      at: Self.start)
    statistics.add(attempt(.rateLimited, milliseconds: 50, firstByte: 50), at: Self.start)
    for bucket in [
      try #require(statistics.byMinute.newest), try #require(statistics.byHour.newest),
      statistics.total,
    ] {
      #expect(bucket.requests == 3)
      #expect(bucket.successes == 1)
      #expect(bucket.promptTokens == 20)
      #expect(bucket.completionTokens == 10)
      // A failure says nothing about how long an answer takes.
      #expect(bucket.latencySum == 100)
      #expect(bucket.latency.count == 1)
      #expect(bucket.firstByteSum == 90)
      #expect(bucket.firstByte.count == 2)
      #expect(bucket.errors.total == 2)
      #expect(bucket.errors[ErrorKind.timeout.rawValue] == 1)
      #expect(bucket.errors[ErrorKind.rateLimited.rawValue] == 1)
    }
  }

  @Test func keepsNoMemoryForErrorsThatNeverCame() {
    #expect(statistics(0).byMinute.newest?.errors.entries.isEmpty == true)
    #expect(ChannelStatistics().byMinute.all.isEmpty)
  }

  // Periods.

  @Test func putsAttemptsIntoTheirMinuteAndHour() {
    let statistics = statistics(0, 59, 60, 3599, 3600)
    // The minute 0 left when the minute 60 came.
    #expect(minutes(statistics) == [[1, 1], [59, 1], [60, 1]])
    #expect(hours(statistics) == [[0, 4], [1, 1]])
  }

  @Test func letsPeriodsLeave() {
    #expect(minutes(statistics(0, 59 * 60)) == [[0, 1], [59, 1]])
    #expect(minutes(statistics(0, 60 * 60)) == [[60, 1]])
    #expect(minutes(statistics(0, 60, 60 * 60)) == [[1, 1], [60, 1]])
    let hour: Int64 = 3600
    #expect(hours(statistics(0, 719 * hour)) == [[0, 1], [719, 1]])
    #expect(hours(statistics(0, 720 * hour)) == [[720, 1]])
    #expect(minutes(statistics(0, 100_000 * hour)).count == 1)
  }

  @Test func holdsAtMostAnHourAndThirtyDays() {
    let statistics = ChannelStatistics()
    for minute in 0..<Int64(2 * 24 * 60) {
      statistics.add(attempt(), at: Self.start + 60 * minute)
      #expect(statistics.byMinute.all.count <= 60)
    }
    for hour in 0..<Int64(1500) {
      statistics.add(attempt(), at: Self.start + 3600 * (48 + hour))
    }
    #expect(statistics.byHour.all.count == 720)
  }

  @Test func forgetsTheFutureWhenTheClockIsSetBack() {
    #expect(minutes(statistics(0, 600, 300)) == [[0, 1], [5, 1]])
    #expect(hours(statistics(0, 10 * 3600, 5 * 3600)) == [[0, 1], [5, 1]])
    #expect(minutes(statistics(0, -50_000_000)).count == 1)
    let again = statistics(0, 600, 300, 600)
    #expect(minutes(again) == [[0, 1], [5, 1], [10, 1]])
  }

  @Test func goesOnWithAPeriodThatComesAgain() {
    #expect(minutes(statistics(0, 60, 0)) == [[0, 2]])
    #expect(hours(statistics(0, 3600, 0)) == [[0, 2]])
  }

  @Test func hasEachPeriodOnceAndInOrder() {
    let statistics = ChannelStatistics()
    for offset: Int64 in [0, 600, 300, 360, 60, 7200, 3600, 90, 100_000, 0] {
      statistics.add(attempt(), at: Self.start + offset)
      for series in [statistics.byMinute, statistics.byHour] {
        let periods = series.all.map(\.period)
        #expect(periods == Array(Set(periods)).sorted())
      }
    }
  }

  // Restored hours.

  @Test func goesOnWithTheHourThatWasSaved() {
    let statistics = ChannelStatistics()
    var saved = BucketSeries(keeping: ChannelStatistics.hours)
    saved.add(attempt(.connect), period: Self.start / 3600)
    statistics.restore(saved)
    statistics.add(attempt(), at: Self.start + 1800)
    #expect(hours(statistics) == [[0, 2]])
    #expect(statistics.byHour.newest?.errors.total == 1)
    #expect(statistics.total.requests == 1)
    #expect(minutes(statistics) == [[30, 1]])
  }

  @Test func countsAllSinceTheStart() {
    let statistics = statistics(0, 60, 7200, 50 * 24 * 3600, -50_000_000)
    #expect(statistics.total.requests == 5)
    #expect(statistics.total.promptTokens == 50)
    #expect(statistics.total.latency.count == 5)
  }

  @Test func remembersTheLastError() {
    let statistics = ChannelStatistics()
    #expect(statistics.lastErrorAt == 0)
    statistics.note(error: "first", at: 5)
    statistics.note(error: "second", at: 7)
    #expect(statistics.lastError == "second")
    #expect(statistics.lastErrorAt == 7)
  }

  @Test func namesEachKindOfErrorOnce() {
    #expect(Set(ErrorKind.allCases.map(\.name.text)).count == ErrorKind.allCases.count)
    // Stored in databases: rows count on them being 0, 1, 2 and so on.
    #expect(ErrorKind.allCases.map(\.rawValue) == (0..<13).map { Int64($0) })
  }
}
