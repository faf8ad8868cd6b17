// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// How many rounds a measured device spends on a password.
struct AdminPasswordCostTests {
  private func check(
    microsecondsPerThousand: Int64, _ expected: Int, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(
      PasswordCost.rounds(nanosecondsPerThousand: microsecondsPerThousand * 1000) == expected,
      sourceLocation: location)
  }

  @Test func spendsAFifthOfASecond() {
    check(microsecondsPerThousand: 400, 500_000)
    check(microsecondsPerThousand: 4000, 50_000)
    check(microsecondsPerThousand: 10_000, 20_000)
  }

  @Test func neverGoesBelowTheRecommendedWhereTheDeviceCanDoIt() {
    check(microsecondsPerThousand: 950, 210_526 / 1000 * 1000)
    check(microsecondsPerThousand: 1000, 210_000)
    check(microsecondsPerThousand: 1428, 210_000)
    check(microsecondsPerThousand: 1429, 139_000)
  }

  @Test func staysWithinItsBounds() {
    check(microsecondsPerThousand: 1, 1_000_000)
    check(microsecondsPerThousand: 0, 1_000_000)
    check(microsecondsPerThousand: 50_000, 10_000)
    check(microsecondsPerThousand: 50_000_000, 10_000)
  }

  @Test func measuresWithinTheBounds() {
    #expect(PasswordCost.measuredRounds.contains(Int64(PasswordCost.measure())))
  }

  @Test func believesAKeptFigureWithinTheBoundsOnly() {
    #expect(PasswordCost.kept("210000") == 210_000)
    for value in ["", "9999", "1000001", "-20000", "20000 ", "many"] as [ByteString] {
      #expect(PasswordCost.kept(value) == nil)
    }
    #expect(PasswordCost.kept(nil) == nil)
  }

  @Test func readsTheRoundsOfAStoredText() {
    #expect(Password.rounds(of: Password.hash("x", rounds: 1234)) == 1234)
    for text in [
      "", "pbkdf2-sha256", "pbkdf2-sha256$", "pbkdf2-sha256$$a$b", "pbkdf2-sha256$x$a$b",
      "pbkdf2-sha256$10000001$a$b", "pbkdf2-sha1$5$a$b", "pbkdf2-sha256$5",
    ] as [ByteString] {
      #expect(Password.rounds(of: text) == 0)
    }
  }
}
