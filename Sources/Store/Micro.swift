// SPDX-License-Identifier: MIT

/// Millionths of a quota unit: what charges are counted in.
package enum Micro {
  package static let perUnit: Int64 = 1_000_000
  /// The largest quota that may be set, in units: as millionths it fits into 64 bits.
  package static let largestQuota: Int64 = 9_000_000_000_000

  /// Whole units as millionths; saturates.
  package static func ofUnits(_ units: Int64) -> Int64 {
    let (product, overflowed) = units.multipliedReportingOverflow(by: perUnit)
    return overflowed ? (units < 0 ? .min : .max) : product
  }

  /// Millionths of a quota in units that are left; saturates.
  ///
  /// `used`: millionths, not negative.
  package static func left(of quota: Int64, used: Int64) -> Int64 {
    ofUnits(quota).addingSaturated(-used)
  }
}
