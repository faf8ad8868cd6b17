// SPDX-License-Identifier: MIT
import Platform

/// Keys of retries, failover, circuit breakers and waiting.
extension ConfigurationTable {
  static let traffic: [ConfigurationRow] = retries + breakers

  private static let retries: [ConfigurationRow] = [
    ConfigurationRow(
      "retries", .number, in: 0...10, default: "3",
      "Further attempts before the first byte, unless the channel group says otherwise.",
      isReloadable: true, section: "Retries and failover"
    ) { $0.retries = $1.int },
    ConfigurationRow(
      "retry_interval_ms", .number, in: 0...60_000, default: "0",
      "Pause before the next attempt, a quarter more or less, unless the group says otherwise.",
      isReloadable: true
    ) { $0.retryIntervalMilliseconds = $1.number },
    ConfigurationRow(
      "retry_statuses", .statuses, default: "408,409,429,500-599",
      "Upstream statuses after which another channel is tried; refused keys always are.",
      isReloadable: true
    ) { $0.retryStatuses = RetryStatuses($1.text) ?? RetryStatuses() },
    ConfigurationRow(
      "retry_deadline_ms", .number, in: timeRange, default: "120000",
      "No further attempt begins when a request is this old.", isReloadable: true
    ) { $0.retryDeadlineMilliseconds = $1.number },
    ConfigurationRow(
      "retry_after_limit_ms", .number, in: 0...600_000, default: "5000",
      "A request waits itself for a vendor's Retry-After up to this; 0: never.",
      isReloadable: true
    ) { $0.retryAfterLimitMilliseconds = $1.number },
    ConfigurationRow(
      "failover_connect_ms", .number, in: 0...60_000, default: "1000",
      "While another channel is left, no connection within this ends an attempt; 0: off.",
      isReloadable: true
    ) { $0.failoverConnectMilliseconds = $1.number },
    ConfigurationRow(
      "failover_first_byte_ms", .number, in: 0...600_000, default: "0",
      "The same for the first byte of an answer; 0: only the channel's own timeout.",
      isReloadable: true
    ) { $0.failoverFirstByteMilliseconds = $1.number },
    ConfigurationRow(
      "queue_limit", .number, in: 0...100_000, default: "64",
      "Requests that may wait while all their channels are busy; further ones get 429.",
      isReloadable: true
    ) { $0.queueLimit = $1.int },
    ConfigurationRow(
      "queue_timeout_ms", .number, in: timeRange, default: "10000",
      "A request waits so long for a busy channel at most.", isReloadable: true
    ) { $0.queueTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "expose_channel", .choice, choices: "false|true", default: "false",
      "Whether answers name their channel in the header X-TinyGateway-Channel.",
      isReloadable: true
    ) { $0.exposesChannel = $1.int == 1 },
  ]

  private static let breakers: [ConfigurationRow] = [
    ConfigurationRow(
      "breaker_failures", .number, in: 1...10_000, default: "5",
      "Failures in a row after which a channel or key is left alone for a while.",
      isReloadable: true, section: "Circuit breakers"
    ) { $0.breaker.failureLimit = $1.number },
    ConfigurationRow(
      "breaker_error_percent", .number, in: 0...100, default: "50",
      "So many percent of failures within breaker_window_ms do the same; 0: off.",
      isReloadable: true
    ) { $0.breaker.errorPercent = $1.number },
    ConfigurationRow(
      "breaker_window_ms", .number, in: timeRange, default: "30000",
      "Time over which failures are counted for breaker_error_percent.", isReloadable: true
    ) { $0.breaker.windowMilliseconds = $1.number },
    ConfigurationRow(
      "breaker_cooldown_ms", .number, in: timeRange, default: "5000",
      "It is left alone so long; one request is then the probe, a failed one doubles the time.",
      isReloadable: true
    ) { $0.breaker.cooldownMilliseconds = $1.number },
    ConfigurationRow(
      "breaker_cooldown_limit_ms", .number, in: timeRange, default: "300000",
      "The longest that this time becomes.", isReloadable: true
    ) { $0.breaker.cooldownLimitMilliseconds = $1.number },
  ]
}
