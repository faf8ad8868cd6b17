// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct UsageTableTests {
  private func open() throws -> Database {
    let database = try TemporaryFolder().open()
    _ = try UserTable.insert(.sample, in: database)
    _ = try TokenTable.insert(.sample(), in: database)
    return database
  }

  private func delta(_ units: Int64, at seconds: Int64 = 0, start: Int64? = nil) -> UsageDelta {
    var delta = UsageDelta()
    if let start { delta.reset(periodStart: start) }
    delta.add(units, at: seconds)
    return delta
  }

  @Test func addsAndStartsAgain() throws {
    let database = try open()
    for (step, used, start, accessed): (UsageDelta, Int64, Int64, Int64) in [
      (delta(5, at: 100), 5, 0, 100), (delta(7, at: 90), 12, 0, 100),
      (delta(3, at: 110, start: 50), 3, 50, 110), (delta(-9), 3, 50, 110), (delta(1), 4, 50, 110),
    ] {
      try UsageTable.add(step, to: .token, 1, in: database)
      let token = try TokenTable.find(1, in: database)
      #expect(token?.usedMicro == used && token?.periodStart == start)
      #expect(token?.accessedAt == accessed)
    }
    #expect(try UserTable.find(1, in: database)?.usedMicro == 0)
  }

  @Test func stopsAtTheLargestNumber() throws {
    let database = try open()
    for expected: Int64 in [.max - 1, .max, .max] {
      try UsageTable.add(delta(expected == .max ? 5 : .max - 1), to: .user, 1, in: database)
      #expect(try UserTable.find(1, in: database)?.usedMicro == expected)
    }
  }

  @Test func ignoresOwnersThatAreGone() throws {
    let database = try open()
    try UsageTable.add(delta(5), to: .user, 2, in: database)
    try UsageTable.add(delta(5), to: .token, 2, in: database)
    #expect(try database.integer("SELECT count(*) FROM usage") == 0)
  }
}
