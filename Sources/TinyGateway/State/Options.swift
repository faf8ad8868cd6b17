// SPDX-License-Identifier: MIT
import Platform
import Store

/// Settings that the management API changes while the gateway runs; kept in the database.
///
/// What belongs to the machine (addresses, limits, storage) is in `Configuration` instead.
struct Options: Equatable, Sendable {
  /// What happens to a request for a model that no price names.
  enum UnpricedModels: Int64, Sendable {
    /// It costs nothing.
    case free = 0
    /// It costs `unpricedRatio` for each token.
    case ratio = 1
    /// It is refused.
    case refuse = 2
  }

  /// A setting of another version of the gateway, kept for it.
  struct Other: Equatable, Sendable {
    let name: ByteString
    /// As JSON.
    let value: ByteString
  }

  /// Quota units that one unit of `currency` buys; One API's 500,000.
  var quotaPerUnit: Int64 = 500_000
  /// ISO 4217 code shown with amounts of money.
  var currency: ByteString = "USD"
  var unpricedModels = UnpricedModels.ratio
  var unpricedRatio = Ratio.one
  /// Completion tokens reserved for a request that names no limit of its own.
  var assumedCompletionTokens: Int64 = 1000
  /// Whether strangers may make an account.
  var isRegistrationOpen = false
  /// Units that a new account gets; nil for no limit.
  var newUserQuota: Int64? = 0
  /// User group of accounts that register themselves.
  var newUserGroup: ByteString = "default"
  /// Log rows older than so many days are removed; 0 keeps them until the log is full.
  var logDays: Int64 = 0
  /// Days for which usage by day, model, user and token is kept.
  var statisticsDays: Int64 = 400

  /// What is stored beside these and means nothing here.
  var others: [Other] = []

  /// How long log and statistics are kept.
  var retention: Retention { Retention(logDays: logDays, usageDays: statisticsDays) }
}
