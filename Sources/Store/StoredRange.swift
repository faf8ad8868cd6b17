// SPDX-License-Identifier: MIT

/// What numbers of a database are brought into when they are read.
///
/// A damaged or edited file may hold any number, also one with which sums would overflow and end
/// the program with every start. What may be set lies within these.
enum StoredRange {
  /// Sums, and limits of which 0 is none.
  static let counts: ClosedRange<Int64> = 0...Int64.max
  /// Unix seconds, up to the end of the year 9999.
  static let times: ClosedRange<Int64> = 0...253_402_300_799
  static let hours: ClosedRange<Int64> = 0...times.upperBound / 3600
  /// Whole quota units.
  static let quotas: ClosedRange<Int64> = 0...Micro.largestQuota
  /// Numbers that are raised by one now and then.
  static let epochs: ClosedRange<Int64> = 0...Int64.max / 2
  /// Milliseconds, retries, weights and the like: small numbers, of which -1 may stand for none.
  static let settings: ClosedRange<Int64> = -1...1_000_000_000
}
