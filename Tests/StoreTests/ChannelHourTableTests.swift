// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct ChannelHourTableTests {
  private func hour(_ hour: Int64, successes: Int, errors: Int) -> ChannelBucket {
    var result = ChannelBucket(period: hour)
    for _ in 0..<successes {
      result.add(
        ChannelAttempt(
          channelID: 1, isSuccess: true, latencyMilliseconds: 1000, firstByteMilliseconds: 100,
          promptTokens: 10, completionTokens: 20))
    }
    for _ in 0..<errors {
      result.add(
        ChannelAttempt(channelID: 1, isSuccess: false, errorKind: 4, latencyMilliseconds: 5000))
    }
    return result
  }

  @Test func addsUpWithWhatIsStored() throws {
    let database = try TemporaryFolder().open()
    _ = try ChannelTable.insert(.sample, in: database)
    try ChannelHourTable.add(hour(7, successes: 3, errors: 1), channelID: 1, in: database)
    try ChannelHourTable.add(hour(7, successes: 2, errors: 0), channelID: 1, in: database)
    try ChannelHourTable.add(hour(8, successes: 0, errors: 2), channelID: 1, in: database)
    let stored = try ChannelHourTable.all(fromHour: 7, in: database)
    #expect(stored.map(\.period) == [7, 8])
    let first = try #require(stored.first)
    #expect(first.requests == 6 && first.successes == 5 && first.errors[4] == 1)
    #expect(first.promptTokens == 50 && first.completionTokens == 100)
    #expect(first.latencySum == 5000 && first.firstByteSum == 500)
    #expect(first.latency.count == 5 && first.firstByte.count == 5)
    #expect(stored.last?.errors[4] == 2)
  }

  @Test func dropsHoursThatAreOldOrWithoutChannel() throws {
    let database = try TemporaryFolder().open()
    try ChannelHourTable.add(hour(7, successes: 1, errors: 0), channelID: 1, in: database)
    #expect(try ChannelHourTable.all(fromHour: 0, in: database).isEmpty)
    _ = try ChannelTable.insert(.sample, in: database)
    for number: Int64 in 7...9 {
      try ChannelHourTable.add(hour(number, successes: 1, errors: 0), channelID: 1, in: database)
    }
    try ChannelHourTable.delete(before: 9, in: database)
    #expect(try ChannelHourTable.all(fromHour: 0, in: database).map(\.period) == [9])
  }

  @Test func readsRowsWithAnyDetail() throws {
    let database = try TemporaryFolder().open()
    _ = try ChannelTable.insert(.sample, in: database)
    // Nothing, one kind of error and no histogram, and a length that promises more than there is.
    let details: [[UInt8]] = [[], [1, 4, 9], [0x7F, 0xFF, 0xFF]]
    for (number, detail) in details.enumerated() {
      try database.run("INSERT INTO channel_hours VALUES (?1, 1, 5, 4, 3, 2, 1, 0, ?2)") {
        $0.bind(Int64(number)).bind(blob: ByteString(detail))
      }
    }
    let hours = try ChannelHourTable.all(fromHour: 0, in: database)
    #expect(hours.map(\.requests) == [5, 5, 5])
    #expect(hours.map { $0.latency.count + $0.firstByte.count } == [0, 0, 0])
    #expect(hours[1].errors[4] == 9)
  }
}

extension ChannelHourTable {
  /// All hours of channel 1 at once.
  static func all(
    fromHour hour: Int64, in database: Database
  ) throws(StoreError) -> [ChannelBucket] {
    var hours: [ChannelBucket] = []
    try each(fromHour: hour, in: database) { id, bucket in if id == 1 { hours.append(bucket) } }
    return hours
  }
}
