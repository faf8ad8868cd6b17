// SPDX-License-Identifier: MIT
import Platform

/// One finished request.
///
/// Times are Unix seconds.
package struct LogRecord: Sendable {
  /// Ordered by time, chosen by `WriteBatch`; see `LogID`.
  package var id: Int64
  /// When the request ended, set by `WriteBatch`.
  package var time: Int64
  /// The id that the answer carried.
  ///
  /// One that begins with the time as log ids do takes 3 bytes in the file, a random one 10.
  package var requestID: Int64
  package var userID: Int64
  package var tokenID: Int64
  package var channelID: Int64
  /// From `WriteBatch.modelID(for:)`; 0 for a model that has no id.
  package var modelID: Int64
  package var promptTokens: Int64
  package var completionTokens: Int64
  package var cachedTokens: Int64
  /// Millionths of a quota unit.
  package var charge: Int64
  package var latencyMilliseconds: Int64
  /// 0 when nothing came.
  package var firstByteMilliseconds: Int64
  /// HTTP status that the client got.
  package var status: Int64
  package var isStream: Bool
  /// Whether the token counts are ours because the upstream gave none.
  package var isEstimated: Bool
  package var isClientGone: Bool
  /// Upstream attempts, 0…127.
  package var attempts: Int64
  /// 0 for none; the numbers are the caller's.
  package var errorKind: Int64
  /// Why the first of several attempts failed; 0 for none.
  package var firstErrorKind: Int64 = 0
  /// The channel of that attempt.
  package var firstChannelID: Int64 = 0
  package var client: IPAddress?

  /// Whether there was no good answer, or one that broke off.
  ///
  /// A client that left is no failure.
  package var isFailure: Bool { !isClientGone && (status >= 400 || errorKind != 0) }

  /// Makes a record; `id` and `time` are not for the caller to choose.
  package init(
    id: Int64 = 0, time: Int64 = 0, requestID: Int64, userID: Int64, tokenID: Int64,
    channelID: Int64, modelID: Int64, promptTokens: Int64 = 0, completionTokens: Int64 = 0,
    cachedTokens: Int64 = 0, charge: Int64 = 0, latencyMilliseconds: Int64 = 0,
    firstByteMilliseconds: Int64 = 0, status: Int64 = 200, isStream: Bool = false,
    isEstimated: Bool = false, isClientGone: Bool = false, attempts: Int64 = 1,
    errorKind: Int64 = 0, client: IPAddress? = nil
  ) {
    self.id = id
    self.time = time
    self.requestID = requestID
    self.userID = userID
    self.tokenID = tokenID
    self.channelID = channelID
    self.modelID = modelID
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
    self.cachedTokens = cachedTokens
    self.charge = charge
    self.latencyMilliseconds = latencyMilliseconds
    self.firstByteMilliseconds = firstByteMilliseconds
    self.status = status
    self.isStream = isStream
    self.isEstimated = isEstimated
    self.isClientGone = isClientGone
    self.attempts = attempts
    self.errorKind = errorKind
    self.client = client
  }
}

/// Ids of log rows: Unix seconds in the upper bits, a sequence in the lower 16.
///
/// Seven bytes in the file stand for time and id together. Ids only grow: a burst above 65,536 a
/// second, or a clock set back, borrows from the seconds to come.
package enum LogID {
  static let sequenceBitCount: Int64 = 16
  private static let secondsLimit = Int64.max >> sequenceBitCount

  /// The lowest id of a second.
  package static func first(ofSecond seconds: Int64) -> Int64 {
    min(max(seconds, 0), secondsLimit) << sequenceBitCount
  }

  /// Ids of the years after 9999 are none: the next one could not lie behind.
  static let end = first(ofSecond: StoredRange.times.upperBound + 1)

  /// The second that an id stands for.
  package static func second(of id: Int64) -> Int64 { id >> sequenceBitCount }

  /// The id after `last` at a time.
  package static func next(after last: Int64, atSecond seconds: Int64) -> Int64 {
    max(last == .max ? last : last + 1, first(ofSecond: seconds))
  }
}

extension Database {
  /// The id that a query finds below its only parameter; 0 when there is none.
  func lastLogID(_ query: StaticString) throws(StoreError) -> Int64 {
    try first(query, { $0.bind(LogID.end) }, { $0.integer() }) ?? 0
  }
}
