// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform
import Store

/// What `/metrics` tells: the process, then each channel since the start.
enum MetricsReport {
  /// Channels that are told of, those with the lowest ids; each takes about 5 kB.
  static let largestChannelCount = 256

  /// The process and its load.
  struct Process {
    /// Unix seconds.
    var startedAt: Int64 = 0
    var uptimeMilliseconds: Int64 = 0
    var residentByteCount: Int64 = 0
    var clientConnections: Int64 = 0
    var relays: Int64 = 0
    var heldByteCount: Int64 = 0
    var droppedRows: Int64 = 0
    var failedFlushes: Int64 = 0
  }

  /// Writes the report of a gateway.
  static func write(_ gateway: Gateway, to buffer: Buffer) {
    let uptime = Instant.now.milliseconds(since: gateway.startedInstant)
    let process = Process(
      startedAt: gateway.startTime,
      uptimeMilliseconds: uptime, residentByteCount: cp_resident_bytes(),
      clientConnections: Int64(gateway.clientConnectionCount),
      relays: Int64(gateway.relays.count), heldByteCount: gateway.relays.heldByteCount,
      droppedRows: gateway.batch.droppedRowCount, failedFlushes: gateway.batch.failedFlushCount)
    write(process, gateway.channels.all, now: gateway.loop.now, to: buffer)
  }

  /// Writes the report.
  static func write(
    _ process: Process, _ channels: [Channel], now: Instant, to buffer: Buffer
  ) {
    var text = MetricsText(buffer)
    write(process, &text)
    let shown = channels.prefix(largestChannelCount).map { Entry($0, now) }
    text.begin("channels", .gauge, "Channels that exist.")
    text.sample(Int64(channels.count))
    text.begin("channels_omitted", .gauge, "Channels that this page has no room for.")
    text.sample(Int64(channels.count - shown.count))
    writeCounters(shown, &text)
    writeHistogram(
      "request_duration_seconds", "Time that successful attempts took.", latencyBounds, shown,
      { ($0.latency, $0.latencySum) }, &text)
    writeHistogram(
      "first_byte_seconds", "Time to the first byte of an answer.", firstByteBounds, shown,
      { ($0.firstByte, $0.firstByteSum) }, &text)
    writeGauges(shown, &text)
  }

  /// A channel while the report is written.
  private struct Entry {
    let labels: ByteString
    let total: ChannelBucket
    let gauges: ChannelGauges

    init(_ channel: Channel, _ now: Instant) {
      let labels = Buffer()
      MetricsText.append("channel", ByteString(number: channel.id), to: labels)
      MetricsText.append("name", channel.record.name, to: labels)
      self.labels = labels.byteString
      total = channel.statistics.total
      gauges = ChannelGauges.of(channel, now)
    }
  }

  private static func write(_ process: Process, _ text: inout MetricsText) {
    let build = Buffer()
    MetricsText.append("version", ByteString(cString: cp_version()) ?? .empty, to: build)
    MetricsText.append("target", ByteString(cString: cp_build_target()) ?? .empty, to: build)
    text.begin("build_info", .gauge, "The program; always 1.")
    text.sample(1, build.byteString)
    text.begin("start_time_seconds", .gauge, "When the program started, in Unix time.")
    text.sample(process.startedAt)
    text.begin("uptime_seconds", .gauge, "Time since the start.")
    text.sample(process.uptimeMilliseconds, decimals: 3)
    text.begin("resident_memory_bytes", .gauge, "Memory of the process.")
    text.sample(process.residentByteCount)
    text.begin("client_connections", .gauge, "Open connections of clients.")
    text.sample(process.clientConnections)
    text.begin("relays", .gauge, "Requests in work.")
    text.sample(process.relays)
    text.begin("held_body_bytes", .gauge, "Request bodies held in memory.")
    text.sample(process.heldByteCount)
    text.begin(
      "log_rows_dropped_total", .counter, "Rows of the request log that could not be written.")
    text.sample(process.droppedRows)
    text.begin("flush_failures_total", .counter, "Writes of usage to the database that failed.")
    text.sample(process.failedFlushes)
  }

  private static func writeCounters(_ channels: [Entry], _ text: inout MetricsText) {
    text.begin("requests_total", .counter, "Attempts on a channel, by outcome.")
    for channel in channels {
      let total = channel.total
      text.sample(
        total.successes, channel.labels, MetricsText.Label(name: "outcome", value: "success"))
      text.sample(
        max(0, total.requests - total.successes), channel.labels,
        MetricsText.Label(name: "outcome", value: "error"))
    }
    text.begin("errors_total", .counter, "Failed attempts on a channel, by kind.")
    for channel in channels {
      for kind in ErrorKind.allCases where kind != .none {
        // Zeros too, so that the first error is an increase.
        text.sample(
          channel.total.errors[kind.rawValue], channel.labels,
          MetricsText.Label(name: "kind", value: kind.name))
      }
    }
    text.begin("prompt_tokens_total", .counter, "Prompt tokens of successful attempts.")
    for channel in channels { text.sample(channel.total.promptTokens, channel.labels) }
    text.begin("completion_tokens_total", .counter, "Completion tokens of successful attempts.")
    for channel in channels { text.sample(channel.total.completionTokens, channel.labels) }
  }

  /// An upper bound of a histogram: 2ⁿ milliseconds, where a step of ours begins.
  private struct Bound {
    let exponent: Int
    /// In seconds.
    let text: StaticString
  }

  private static let latencyBounds: [Bound] = Array(bounds[2...])
  private static let firstByteBounds: [Bound] = Array(bounds[..<11])

  private static let bounds: [Bound] = [
    Bound(exponent: 5, text: "0.032"), Bound(exponent: 6, text: "0.064"),
    Bound(exponent: 7, text: "0.128"), Bound(exponent: 8, text: "0.256"),
    Bound(exponent: 9, text: "0.512"), Bound(exponent: 10, text: "1.024"),
    Bound(exponent: 11, text: "2.048"), Bound(exponent: 12, text: "4.096"),
    Bound(exponent: 13, text: "8.192"), Bound(exponent: 14, text: "16.384"),
    Bound(exponent: 15, text: "32.768"), Bound(exponent: 16, text: "65.536"),
    Bound(exponent: 17, text: "131.072"),
  ]

  private static func writeHistogram(
    _ name: StaticString, _ help: StaticString, _ bounds: [Bound], _ channels: [Entry],
    _ figures: (ChannelBucket) -> (LatencyHistogram, Int64), _ text: inout MetricsText
  ) {
    text.begin(name, .histogram, help)
    for channel in channels {
      let (histogram, sum) = figures(channel.total)
      for bound in bounds {
        // Durations are counted in whole milliseconds, cut off: all below the bound are within it.
        let step = LatencyHistogram.step(of: 1 << Int64(bound.exponent))
        text.sample(
          histogram.count(belowStep: step), channel.labels,
          MetricsText.Label(name: "le", value: bound.text), suffix: "_bucket")
      }
      let count = histogram.count
      text.sample(
        count, channel.labels, MetricsText.Label(name: "le", value: "+Inf"), suffix: "_bucket")
      text.sample(sum, decimals: 3, channel.labels, suffix: "_sum")
      text.sample(count, channel.labels, suffix: "_count")
    }
  }

  private static func writeGauges(_ channels: [Entry], _ text: inout MetricsText) {
    text.begin("open_requests", .gauge, "Requests under way on a channel.")
    for channel in channels { text.sample(channel.gauges.openRequests, channel.labels) }
    text.begin("channel_ready", .gauge, "Whether a channel may be chosen now.")
    for channel in channels { text.sample(channel.gauges.isReady ? 1 : 0, channel.labels) }
    text.begin("channel_state", .gauge, "How a channel stands, as a label; always 1.")
    for channel in channels {
      text.sample(
        1, channel.labels, MetricsText.Label(name: "state", value: channel.gauges.state))
    }
  }
}
