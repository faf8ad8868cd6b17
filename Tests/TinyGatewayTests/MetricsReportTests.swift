// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// What Prometheus reads.
struct MetricsReportTests {
  private func channel(
    _ id: Int64 = 1, name: ByteString = "a channel", status: ChannelStatus = .enabled
  ) throws -> Channel {
    var record = RelayFixtures.record(id, status: status)
    record.name = name
    return try RelayFixtures.channel(record)
  }

  private func add(
    _ kind: ErrorKind = .none, milliseconds: Int64 = 100, firstByte: Int64? = 40,
    to channel: Channel
  ) {
    channel.statistics.add(
      ChannelAttempt(
        channelID: channel.id, isSuccess: kind == .none, errorKind: kind.rawValue,
        latencyMilliseconds: milliseconds, firstByteMilliseconds: firstByte, promptTokens: 10,
        completionTokens: 5), at: 1_760_000_000)
  }

  private func text(
    _ channels: [Channel], _ process: MetricsReport.Process = MetricsReport.Process()
  ) -> String {
    let buffer = Buffer()
    MetricsReport.write(process, channels, now: .now, to: buffer)
    return buffer.byteString.text
  }

  @Test func tellsOfTheProcess() throws {
    let process = MetricsReport.Process(
      startedAt: 1_760_000_000, uptimeMilliseconds: 61_500, residentByteCount: 5_000_000_000,
      clientConnections: 3, relays: 2, heldByteCount: 70_000, droppedRows: 9, failedFlushes: 4)
    let report = try MetricsParser(text([], process))
    for (name, value) in [
      ("start_time_seconds", 1_760_000_000), ("uptime_seconds", 61.5),
      ("resident_memory_bytes", 5e9), ("client_connections", 3), ("relays", 2),
      ("held_body_bytes", 70_000), ("log_rows_dropped_total", 9), ("flush_failures_total", 4),
      ("channels", 0), ("channels_omitted", 0), ("build_info", 1),
    ] as [(String, Double)] {
      #expect(report.value("tinygateway_" + name) == value, "\(name)")
    }
    let build = try #require(report.samples.first { $0.name == "tinygateway_build_info" })
    #expect(Set(build.labels.keys) == ["version", "target"])
    #expect(report.samples.allSatisfy { $0.name.hasPrefix("tinygateway_") })
  }

  @Test func countsAttemptsOfEachChannel() throws {
    let (one, other) = (try channel(1, name: "one"), try channel(2, name: "other"))
    for _ in 0..<3 { add(to: one) }
    add(.timeout, firstByte: nil, to: one)
    add(.rateLimited, to: one)
    let report = try MetricsParser(text([one, other]))
    func check(_ name: String, _ labels: [String: String], _ value: Double) {
      #expect(report.value("tinygateway_" + name, labels) == value, "\(name) \(labels)")
    }
    let labels = ["channel": "1", "name": "one"]
    check("requests_total", labels.merging(["outcome": "success"]) { $1 }, 3)
    check("requests_total", labels.merging(["outcome": "error"]) { $1 }, 2)
    check("errors_total", labels.merging(["kind": "timeout"]) { $1 }, 1)
    check("errors_total", labels.merging(["kind": "rate_limited"]) { $1 }, 1)
    check("errors_total", labels.merging(["kind": "tls"]) { $1 }, 0)
    check("prompt_tokens_total", labels, 50)
    check("completion_tokens_total", labels, 25)
    check("request_duration_seconds_count", labels, 3)
    check("request_duration_seconds_sum", labels, 0.3)
    check("first_byte_seconds_count", labels, 4)
    check("first_byte_seconds_sum", labels, 0.16)
    check("requests_total", ["channel": "2", "outcome": "success"], 0)
    check("errors_total", ["channel": "2", "kind": "connect"], 0)
    check("channels", [:], 2)
    #expect(report.value("tinygateway_errors_total", ["channel": "1", "kind": "none"]) == nil)
  }

  /// A bound holds what took so long or less, as far as whole milliseconds tell.
  @Test func putsDurationsBelowTheirBounds() throws {
    let channel = try channel()
    for milliseconds: Int64 in [0, 127, 128, 255, 256, 131_071, 131_072, 600_000] {
      add(milliseconds: milliseconds, firstByte: milliseconds, to: channel)
    }
    let report = try MetricsParser(text([channel]))
    for (bound, count) in [
      ("0.128", 2), ("0.256", 4), ("0.512", 5), ("65.536", 5), ("131.072", 6), ("+Inf", 8),
    ] as [(String, Double)] {
      #expect(
        report.value("tinygateway_request_duration_seconds_bucket", ["le": bound]) == count,
        "\(bound)")
    }
    for (bound, count) in [("0.032", 1), ("0.256", 4), ("32.768", 5), ("+Inf", 8)]
      as [(String, Double)]
    {
      #expect(
        report.value("tinygateway_first_byte_seconds_bucket", ["le": bound]) == count, "\(bound)")
    }
  }

  @Test func escapesNames() throws {
    let name = "所有 \"fields\" \\ back\nline } , = #"
    let report = try MetricsParser(text([try channel(name: ByteString(utf8: name))]))
    #expect(report.value("tinygateway_channel_ready", ["name": name]) == 1)
    let broken = try channel(name: ByteString([0x61, 0xFF, 0x62]))
    #expect(
      try MetricsParser(text([broken])).value("tinygateway_channel_ready", ["name": "a\u{FFFD}b"])
        == 1)
  }

  @Test func tellsHowChannelsStand() throws {
    let cases: [(ChannelStatus, String, Double)] = [
      (.enabled, "enabled", 1), (.disabled, "disabled", 0), (.autoDisabled, "auto_disabled", 0),
    ]
    for (status, word, ready) in cases {
      let report = try MetricsParser(text([try channel(status: status)]))
      #expect(report.value("tinygateway_channel_state", ["state": word]) == 1)
      #expect(report.value("tinygateway_channel_ready") == ready)
    }
  }

  @Test func hasABound() throws {
    let longest = ByteString([UInt8](repeating: UInt8(ascii: "\""), count: 128))
    let channels = try (1...Int64(MetricsReport.largestChannelCount + 5)).map {
      try channel($0, name: longest)
    }
    let text = text(channels)
    let report = try MetricsParser(text)
    #expect(report.value("tinygateway_channels_omitted") == 5)
    #expect(report.samples.contains { $0.labels["channel"] == "256" })
    #expect(!report.samples.contains { $0.labels["channel"] == "257" })
    #expect(text.utf8.count < 6_000_000, "\(text.utf8.count)")
  }

  @Test func staysSmallForOrdinaryChannels() throws {
    let channels = try (1...Int64(50)).map { try channel($0, name: "DeepSeek, second key") }
    #expect(text(channels).utf8.count < 300_000)
  }
}
