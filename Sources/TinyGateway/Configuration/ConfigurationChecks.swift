// SPDX-License-Identifier: MIT
import Platform
import Store

/// Settings that are right by themselves and impossible together, and words with a reason against.
enum ConfigurationChecks {
  /// Why a well-known value is refused; nil for any other.
  static func refusal(of row: ConfigurationRow, _ value: ByteString) -> StaticString? {
    let key = ByteString(row.name)
    let word = value.lowercased
    if key == "journal_mode" && (word == "memory" || word == "off") {
      return "memory and off lose the database when power is cut; write wal, or persist"
    }
    if key == "synchronous" && (word == "off" || word == "normal") {
      return "off and normal lose acknowledged settings when power is cut; write full"
    }
    return nil
  }

  /// Everything that does not fit together.
  static func problems(in configuration: Configuration) -> [ConfigurationProblem] {
    var problems: [ConfigurationProblem] = []
    checkStorage(configuration, &problems)
    checkPartition(configuration, &problems)
    checkTimes(configuration, &problems)
    checkPasswords(configuration, &problems)
    checkTLS(configuration, &problems)
    checkMemory(configuration, &problems)
    checkFiles(configuration, &problems)
    checkTests(configuration, &problems)
    return problems
  }

  private static func checkTimes(
    _ configuration: Configuration, _ problems: inout [ConfigurationProblem]
  ) {
    let least = Heartbeat.leastMilliseconds
    if configuration.heartbeatMilliseconds != 0 && configuration.heartbeatMilliseconds < least {
      problems.append(
        ConfigurationProblem(configuration.origin(of: "heartbeat_ms")) { message in
          message.append("is too short; write 0 for none, or at least ")
          message.append(decimal: least)
        })
    }
  }

  private static func checkPasswords(
    _ configuration: Configuration, _ problems: inout [ConfigurationProblem]
  ) {
    let least = PasswordCost.measuredRounds.lowerBound
    let rounds = Int64(configuration.chosenPasswordRounds)
    if rounds != 0 && rounds < least {
      problems.append(
        ConfigurationProblem(configuration.origin(of: "password_rounds")) { message in
          message.append("is too few; write 0 to have this device measured, or at least ")
          message.append(decimal: least)
        })
    }
  }

  private static func checkTLS(
    _ configuration: Configuration, _ problems: inout [ConfigurationProblem]
  ) {
    if !configuration.tlsCertificate.isEmpty && configuration.tlsKey.isEmpty {
      problems.append(
        ConfigurationProblem(
          configuration.origin(of: "tls_certificate"), "needs tls_key, the file with its key"))
    }
    if configuration.tlsCertificate.isEmpty && !configuration.tlsKey.isEmpty {
      problems.append(
        ConfigurationProblem(
          configuration.origin(of: "tls_key"),
          "needs tls_certificate, the file with the certificate chain"))
    }
    if !configuration.tlsCertificate.isEmpty && configuration.tlsPort == 0 {
      problems.append(
        ConfigurationProblem(
          configuration.origin(of: "tls_certificate"),
          "is not used while tls_port is 0; set tls_port, such as 3443, or leave it out"))
    }
    if configuration.tlsPort != 0 && configuration.tlsPort == configuration.port {
      problems.append(
        ConfigurationProblem(
          configuration.origin(of: "tls_port"), "is the same as port; choose another"))
    }
  }

  private static func checkMemory(
    _ configuration: Configuration, _ problems: inout [ConfigurationProblem]
  ) {
    let megabytes = configuration.memoryLimitMegabytes
    let capacity = configuration.capacity
    func refuse(_ key: StaticString, _ given: Int, most: Int64) {
      if configuration.isDefault(key) || Int64(given) <= most { return }
      problems.append(
        ConfigurationProblem(configuration.origin(of: key)) { message in
          message.append(decimal: given)
          message.append(" is too much for memory_limit_mb ")
          message.append(decimal: megabytes)
          message.append("; write at most ")
          message.append(decimal: most)
          message.append(", or raise memory_limit_mb")
        })
    }
    let work = Capacity.workByteCount(megabytes)
    refuse(
      "connection_limit", configuration.connectionLimit,
      most: work / 2 / Capacity.connectionByteCount)
    refuse(
      "request_limit", configuration.requestLimit,
      most: (work - Int64(capacity.connections) * Capacity.connectionByteCount)
        / Capacity.requestByteCount)
    refuse(
      "body_held_limit_kb", configuration.bodyHeldLimitKilobytes,
      most: Capacity.bodiesByteCount(megabytes) >> 10)
    refuse("cache_kb", configuration.storage.cacheKilobytes, most: (Int64(megabytes) << 10) / 8)

    if !configuration.isDefault("body_held_limit_kb") && !configuration.isDefault("body_limit_mb")
      && configuration.bodyHeldLimitKilobytes > configuration.bodyLimitMegabytes << 10
    {
      problems.append(
        ConfigurationProblem(
          configuration.origin(of: "body_held_limit_kb"),
          "is more than body_limit_mb, the largest body; lower it or raise body_limit_mb"))
    }
  }

  /// Shortest interval of timed channel tests, in milliseconds.
  private static let leastTestInterval: Int64 = 60_000

  private static func checkTests(
    _ configuration: Configuration, _ problems: inout [ConfigurationProblem]
  ) {
    let interval = configuration.channelTestIntervalMilliseconds
    guard interval != 0, interval < leastTestInterval else { return }
    problems.append(
      ConfigurationProblem(
        configuration.origin(of: "channel_test_interval_ms"),
        "is too short, since each test costs money; write at least 60000, or 0 for never"))
  }

  private static func checkFiles(
    _ configuration: Configuration, _ problems: inout [ConfigurationProblem]
  ) {
    func check(_ key: StaticString, _ path: ByteString) {
      guard !path.isEmpty, let failure = ProcessContext.readingFailure(path) else { return }
      problems.append(
        ConfigurationProblem(configuration.origin(of: key)) { message in
          message.append("cannot read ")
          message.append(path)
          message.append(": ")
          message.append(text: failure.text)
          message.append("; correct the path or make the file readable")
        })
    }
    check("tls_certificate", configuration.tlsCertificate)
    check("tls_key", configuration.tlsKey)
    check("ca_file", configuration.caFile)
  }
}
