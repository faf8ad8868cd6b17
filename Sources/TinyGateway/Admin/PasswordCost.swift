// SPDX-License-Identifier: MIT
import Platform
import Store

/// How many rounds of PBKDF2 a password costs on this device.
///
/// `password_rounds` of the configuration decides; where it is 0, the device is measured once, and
/// the figure is kept in the database.
enum PasswordCost {
  /// Where the measured figure is kept.
  static let optionName = OptionTable.passwordRoundsName
  /// How long one verification shall take, in milliseconds.
  static let wantedMilliseconds: Int64 = 200
  /// How long it may take where that is needed for `recommendedRounds`.
  static let longestMilliseconds: Int64 = 300
  /// The recommended least (OWASP for PBKDF2 with HMAC-SHA-256 allows fewer on slow devices).
  static let recommendedRounds: Int64 = 210_000
  static let measuredRounds: ClosedRange<Int64> = 10_000...1_000_000

  private static let shortestRunNanoseconds: Int64 = 20_000_000
  private static let runCount = 3

  /// The rounds for a device that needs so long for a thousand of them.
  static func rounds(nanosecondsPerThousand: Int64) -> Int {
    let thousand = max(1, nanosecondsPerThousand)
    var rounds = wantedMilliseconds * 1_000_000 / thousand * 1000
    if rounds < recommendedRounds,
      recommendedRounds / 1000 * thousand <= longestMilliseconds * 1_000_000
    {
      rounds = recommendedRounds
    }
    return Int(min(max(rounds, measuredRounds.lowerBound), measuredRounds.upperBound))
  }

  /// Measures this device; takes about a tenth of a second, so never on the loop's thread.
  ///
  /// The thread's own time counts, and the quickest of several runs: the busy moments of a first
  /// start must not make passwords cheap for ever.
  static func measure() -> Int {
    var count = 1000
    var spent = nanoseconds(for: count)
    while spent < shortestRunNanoseconds, count < 1 << 22 {
      count *= 2
      spent = nanoseconds(for: count)
    }
    for _ in 1..<runCount { spent = min(spent, nanoseconds(for: count)) }
    return rounds(nanosecondsPerThousand: spent / Int64(count / 1000))
  }

  private static func nanoseconds(for rounds: Int) -> Int64 {
    let start = Instant.threadNanoseconds
    _ = Digest.pbkdf2(password: "measured", salt: "sixteen bytes...", rounds: rounds)
    return Instant.threadNanoseconds - start
  }

  /// The figure that was kept; nil when there is none, or none that this program would choose.
  static func kept(_ value: ByteString?) -> Int? {
    guard let rounds = value?.decimal, measuredRounds.contains(rounds) else { return nil }
    return Int(rounds)
  }

  /// The rounds in force, before the loop turns: measured here, and kept, when they are not known.
  static func rounds(
    _ configuration: Configuration, in database: Database
  ) throws(StoreError) -> Int {
    if configuration.chosenPasswordRounds > 0 { return configuration.chosenPasswordRounds }
    if let known = kept(try OptionTable.value(optionName, in: database)) { return known }
    let measured = measure()
    try database.transaction { () throws(StoreError) in
      try OptionTable.set(optionName, to: ByteString(number: Int64(measured)), in: database)
    }
    return measured
  }
}

extension Gateway {
  /// Rounds of PBKDF2 for new passwords; nil until this device has been measured.
  var passwordRounds: Int? {
    let chosen = configuration.chosenPasswordRounds
    return chosen > 0 ? chosen : admin.measuredPasswordRounds
  }

  /// Keeps what was measured, for this run and the next ones.
  func keepPasswordRounds(_ rounds: Int) {
    guard admin.measuredPasswordRounds == nil else { return }
    admin.measuredPasswordRounds = rounds
    log.info("this device spends \(rounds) rounds on a password (measured once)")
    let text = ByteString(number: Int64(rounds))
    storage.perform(
      { (database) throws(StoreError) in
        try OptionTable.set(PasswordCost.optionName, to: text, in: database)
      },
      completion: { [log] result in
        guard case .failure(let error) = result else { return }
        log.warn("the rounds of passwords are not kept: \(error.sentence.text)")
      })
  }
}
