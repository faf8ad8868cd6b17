// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct ChannelHourTableTests {
  private func hour(_ hour: Int64, successes: Int, errors: Int) -> ChannelHour {
    var result = ChannelHour(channelID: 1, hour: hour)
    for _ in 0..<successes {
      result.count(
        ChannelAttempt(
          channelID: 1, isSuccess: true, latencyMilliseconds: 1000, firstByteMilliseconds: 100,
          promptTokens: 10, completionTokens: 20))
    }
    for _ in 0..<errors {
      result.count(
        ChannelAttempt(channelID: 1, isSuccess: false, errorKind: 4, latencyMilliseconds: 5000))
    }
    return result
  }

  @Test func addsUpWithWhatIsStored() throws {
    let database = try TemporaryFolder().open()
    _ = try ChannelTable.insert(.sample, in: database)
    try ChannelHourTable.add(hour(7, successes: 3, errors: 1), in: database)
    try ChannelHourTable.add(hour(7, successes: 2, errors: 0), in: database)
    try ChannelHourTable.add(hour(8, successes: 0, errors: 2), in: database)
    let stored = try ChannelHourTable.all(fromHour: 7, in: database)
    #expect(stored.map(\.hour) == [7, 8] && stored.map(\.channelID) == [1, 1])
    let first = try #require(stored.first)
    #expect(first.requests == 6 && first.successes == 5 && first.errors[4] == 1)
    #expect(first.promptTokens == 50 && first.completionTokens == 100)
    #expect(first.latencySum == 5000 && first.firstByteSum == 500)
    #expect(first.latency.count == 5 && first.firstByte.count == 5)
    #expect(stored.last?.errors[4] == 2)
  }

  @Test func dropsHoursThatAreOldOrWithoutChannel() throws {
    let database = try TemporaryFolder().open()
    try ChannelHourTable.add(hour(7, successes: 1, errors: 0), in: database)
    #expect(try ChannelHourTable.all(fromHour: 0, in: database).isEmpty)
    _ = try ChannelTable.insert(.sample, in: database)
    for number: Int64 in 7...9 {
      try ChannelHourTable.add(hour(number, successes: 1, errors: 0), in: database)
    }
    try ChannelHourTable.delete(before: 9, in: database)
    #expect(try ChannelHourTable.all(fromHour: 0, in: database).map(\.hour) == [9])
  }
}
