// SPDX-License-Identifier: MIT
import Platform

/// Which log rows are wanted; nil admits any.
package struct LogFilter: Sendable {
  /// How a request ended.
  package enum Outcome: Sendable {
    /// With this HTTP status.
    case status(Int64)
    case ok
    /// See `LogRecord.isFailure`.
    case failed
  }

  /// Unix seconds, inclusive.
  package var from: Int64?
  /// Unix seconds, exclusive.
  package var until: Int64?
  package var userID: Int64?
  package var tokenID: Int64?
  package var channelID: Int64?
  package var modelID: Int64?
  package var outcome: Outcome?
  package var requestID: Int64?
  package var isStream: Bool?
  /// Only rows with a smaller id: the last one of the page before.
  package var before: Int64?
  /// Only rows with a larger id: the newest one that is known.
  package var after: Int64?

  /// Makes a filter.
  package init(
    from: Int64? = nil, until: Int64? = nil, userID: Int64? = nil, tokenID: Int64? = nil,
    channelID: Int64? = nil, modelID: Int64? = nil, before: Int64? = nil
  ) {
    self.from = from
    self.until = until
    self.userID = userID
    self.tokenID = tokenID
    self.channelID = channelID
    self.modelID = modelID
    self.before = before
  }

  /// Ids that the time range admits: from the first, up to but without the second.
  var idRange: (lowest: Int64, end: Int64) {
    let first = from.map(LogID.first(ofSecond:)) ?? 0
    let lowest = max(first, after?.addingSaturated(1) ?? 0)
    let end = until.map(LogID.first(ofSecond:)) ?? .max
    return (lowest, min(end, before ?? .max))
  }

  /// Whether a row is wanted.
  func admits(_ row: LogRecord) -> Bool {
    let range = idRange
    return row.id >= range.lowest && row.id < range.end && admitsOwner(of: row)
      && admitsDetail(of: row)
  }

  /// Whether a row is wanted for its user, token, channel and model.
  func admitsOwner(of row: LogRecord) -> Bool {
    func admits(_ wanted: Int64?, _ value: Int64) -> Bool { wanted == nil || wanted == value }
    return admits(userID, row.userID) && admits(tokenID, row.tokenID)
      && admits(channelID, row.channelID) && admits(modelID, row.modelID)
  }

  /// Whether a row is wanted for what is packed in its detail.
  func admitsDetail(of row: LogRecord) -> Bool {
    if let requestID, row.requestID != requestID { return false }
    if let isStream, row.isStream != isStream { return false }
    switch outcome {
    case .none: return true
    case .status(let status): return row.status == status
    case .ok: return row.status < 400 && !row.isFailure
    case .failed: return row.isFailure
    }
  }
}
