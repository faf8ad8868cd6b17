// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct LogDetailTests {
  private func unpack(_ bytes: [UInt8], id: Int64) -> LogRecord {
    var row = LogRecord(requestID: 0, userID: 0, tokenID: 0, channelID: 0, modelID: 0)
    row.id = id
    bytes.withUnsafeBytes { LogDetail.unpack($0, into: &row) }
    return row
  }

  private func pack(_ row: LogRecord) -> [UInt8] {
    var packed = PackedWriter()
    LogDetail.pack(row, into: &packed)
    return packed.bytes
  }

  private func check(_ row: LogRecord) {
    let back = unpack(pack(row), id: row.id)
    #expect(back.time == row.time && back.requestID == row.requestID)
    #expect(back.cachedTokens == row.cachedTokens && back.status == row.status)
    #expect(back.latencyMilliseconds == row.latencyMilliseconds)
    #expect(back.firstByteMilliseconds == row.firstByteMilliseconds)
    #expect(back.isStream == row.isStream && back.isEstimated == row.isEstimated)
    #expect(back.isClientGone == row.isClientGone && back.attempts == row.attempts)
    #expect(back.errorKind == row.errorKind && back.client == row.client)
    #expect(back.firstErrorKind == row.firstErrorKind && back.firstChannelID == row.firstChannelID)
  }

  private var usual: LogRecord {
    LogRecord(
      id: LogID.first(ofSecond: 1_790_000_000) + 5, time: 1_790_000_000,
      requestID: LogID.first(ofSecond: 1_789_999_998) + 9, userID: 1, tokenID: 1, channelID: 1,
      modelID: 1, latencyMilliseconds: 2100, firstByteMilliseconds: 300, isStream: true,
      client: IPAddress("192.168.1.5"))
  }

  @Test func givesBackWhatItTook() {
    check(usual)
    for client: ByteString in ["0.0.0.0", "::1", "2001:db8::ffff"] {
      var row = usual
      row.client = IPAddress(client)
      check(row)
    }
    for value: Int64 in [.min, -1, 0, 1, .max] {
      var row = usual
      row.requestID = value
      row.time = value
      row.client = nil
      check(row)
    }
    var unusual = usual
    unusual.cachedTokens = .max
    unusual.latencyMilliseconds = .max
    unusual.status = 502
    unusual.attempts = 4
    unusual.errorKind = 255
    unusual.isEstimated = true
    unusual.isClientGone = true
    check(unusual)
    unusual.firstErrorKind = 5
    unusual.firstChannelID = .max
    check(unusual)
    var retried = usual
    retried.attempts = 2
    retried.firstErrorKind = 1
    retried.firstChannelID = 3
    check(retried)
    #expect(pack(retried).count <= pack(usual).count + 7)
  }

  @Test func takesThirteenBytesForAUsualRow() {
    #expect(pack(usual).count <= 13)
  }

  @Test func survivesDamagedBytes() {
    var row = usual
    row.status = 500
    row.cachedTokens = 12_345
    let packed = pack(row)
    for count in 0...packed.count { _ = unpack(Array(packed.prefix(count)), id: row.id) }
    for length in 1...24 {
      _ = unpack([UInt8](repeating: 0xFF, count: length), id: .max)
      _ = unpack([UInt8](repeating: 0x80, count: length), id: .min)
    }
  }
}
