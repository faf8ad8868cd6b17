// SPDX-License-Identifier: MIT
import Platform

/// The columns of a log row that no query filters or sums, packed into one blob.
///
/// A column of SQLite costs a byte of header each, and these are mostly small or absent: packed,
/// a usual row takes about 40 bytes in the file instead of 60. What is written per request is
/// what wears the flash out. In order: flags, latency, latency minus first byte, id minus
/// request id, and then what the flags announce.
enum LogDetail {
  private static let stream: UInt64 = 1
  private static let estimated: UInt64 = 2
  private static let clientGone: UInt64 = 4
  private static let hasIPv4: UInt64 = 8
  private static let hasIPv6: UInt64 = 16
  private static let hasCached: UInt64 = 32
  /// Status, attempts and error follow: they are not 200, 1 and 0.
  private static let isUnusual: UInt64 = 64
  /// The time differs from the one in the id: the clock was set back.
  private static let hasTime: UInt64 = 128
  /// Kind and channel of the first attempt follow at the end, where older versions stop reading.
  private static let hasFirst: UInt64 = 256

  /// Appends the blob of a row.
  static func pack(_ row: LogRecord, into packed: inout PackedWriter) {
    var flags: UInt64 = 0
    if row.isStream { flags |= stream }
    if row.isEstimated { flags |= estimated }
    if row.isClientGone { flags |= clientGone }
    if let client = row.client { flags |= client.isIPv4 ? hasIPv4 : hasIPv6 }
    if row.cachedTokens > 0 { flags |= hasCached }
    if row.status != 200 || row.attempts != 1 || row.errorKind != 0 { flags |= isUnusual }
    if row.time != LogID.second(of: row.id) { flags |= hasTime }
    if row.firstErrorKind != 0 { flags |= hasFirst }

    packed.append(flags)
    packed.append(count: row.latencyMilliseconds)
    packed.append(count: row.latencyMilliseconds - row.firstByteMilliseconds)
    packed.append(signed: row.id &- row.requestID)
    if flags & hasCached != 0 { packed.append(count: row.cachedTokens) }
    if flags & isUnusual != 0 {
      packed.append(count: row.status)
      packed.append(count: row.attempts)
      packed.append(count: row.errorKind)
    }
    if flags & hasTime != 0 { packed.append(signed: row.time) }
    row.client?.withBytes { bytes, count in
      for byte in UnsafeBufferPointer(start: bytes, count: Int(count)) { packed.append(byte: byte) }
    }
    if flags & hasFirst != 0 {
      packed.append(count: row.firstErrorKind)
      packed.append(count: row.firstChannelID)
    }
  }

  /// Fills in the fields of a row whose id is set already; damaged bytes give zeros.
  static func unpack(_ bytes: UnsafeRawBufferPointer, into row: inout LogRecord) {
    var packed = PackedReader(bytes)
    let flags = packed.number()
    row.isStream = flags & stream != 0
    row.isEstimated = flags & estimated != 0
    row.isClientGone = flags & clientGone != 0
    row.latencyMilliseconds = packed.count()
    row.firstByteMilliseconds = max(0, row.latencyMilliseconds - packed.count())
    row.requestID = row.id &- packed.signed()
    row.cachedTokens = flags & hasCached != 0 ? packed.count() : 0
    if flags & isUnusual != 0 {
      row.status = packed.count()
      row.attempts = packed.count()
      row.errorKind = packed.count()
    }
    row.time = flags & hasTime != 0 ? packed.signed() : LogID.second(of: row.id)
    let addressByteCount = flags & hasIPv4 != 0 ? 4 : flags & hasIPv6 != 0 ? 16 : 0
    if addressByteCount > 0 { row.client = packed.raw(addressByteCount).flatMap { IPAddress($0) } }
    if flags & hasFirst != 0 {
      row.firstErrorKind = packed.count()
      row.firstChannelID = packed.count()
    }
  }
}
