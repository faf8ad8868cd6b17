// SPDX-License-Identifier: MIT
import Store

@testable import TinyGateway

// Whole quota units, for tests that need no smaller ones.

extension Token {
  var availableUnits: Int64? { availableMicro.map { $0 / Micro.perUnit } }
  var reservedUnits: Int64 { reservedMicro / Micro.perUnit }
}

extension User {
  var availableUnits: Int64? { availableMicro.map { $0 / Micro.perUnit } }
  var reservedUnits: Int64 { reservedMicro / Micro.perUnit }
}
