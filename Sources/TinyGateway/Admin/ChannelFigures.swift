// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// `/channels/stats`: what each channel did in the last hour, day or 30 days.
enum ChannelFigures {
  /// A span of time and the buckets that it is made of.
  private struct Window {
    let name: StaticString
    let bucketSeconds: Int64
    let bucketCount: Int64
    /// Channels on a page with series: 720 buckets of one take a quarter of a megabyte.
    let seriesPageSize: Int64
    let buckets: @Sendable (ChannelStatistics) -> BucketSeries
  }

  private static let windows: [Window] = [
    Window(name: "1h", bucketSeconds: 60, bucketCount: 60, seriesPageSize: 100) { $0.byMinute },
    Window(name: "24h", bucketSeconds: 3600, bucketCount: 24, seriesPageSize: 100) { $0.byHour },
    Window(name: "30d", bucketSeconds: 3600, bucketCount: 720, seriesPageSize: 10) { $0.byHour },
  ]

  private static let windowNames: [StaticString] = ["1h", "24h", "30d"]
  private static let seriesNames: [StaticString] = ["0", "1", "day"]
  private static let sumNames: [StaticString] = ["0", "1"]

  /// Decimals of a rate.
  private static let rateDecimals = 4

  /// What is told beside the figures of the whole window.
  private enum Series: Int64 {
    case none, buckets, days
  }

  /// Writes a page of channels with their figures, or the figures of all channels together.
  @Sendable static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let window = windows[Int(try request.choice("window", windowNames) ?? 0)]
    let series = Series(rawValue: try request.choice("series", seriesNames) ?? 0) ?? .none
    guard series != .days || window.bucketCount == 720 else {
      throw LogQuery.invalid("series", "may be day with window=30d only")
    }
    let isSum = try request.choice("sum", sumNames) == 1
    let chart = Chart(window, series, request.gateway.zone)
    let channels = request.gateway.channels.all
    json.beginObject()
    json.member("window", window.name)
    json.member("bucket_seconds", series == .days ? 86_400 : window.bucketSeconds)
    if isSum {
      json.key("sum")
      json.beginObject()
      chart.write(channels, &json)
      json.endObject()
    } else {
      let limit = series == .buckets ? window.seriesPageSize : Store.Page.sizeLimit
      try request.writePage(of: channels, sizeLimit: limit, &json) { channel, json in
        json.beginObject()
        json.member("channel_id", channel.id)
        json.member("name", channel.record.name)
        json.member("status", ChannelEndpoints.name(of: channel.shownStatus))
        writeLastError(channel, &json)
        chart.write([channel], &json)
        json.endObject()
      }
    }
    json.endObject()
  }

  /// The figures of channels over a window, and the same bucket by bucket.
  private struct Chart {
    private let window: Window
    private let series: Series
    private let zone: TimeZone
    /// The oldest period of the window.
    private let first: Int64

    init(_ window: Window, _ series: Series, _ zone: TimeZone) {
      self.window = window
      self.series = series
      self.zone = zone
      first = UnixTime.seconds / window.bucketSeconds - window.bucketCount + 1
    }

    /// Writes the sums of some channels into the open object, then their series if one is wanted.
    func write(_ channels: [Channel], _ json: inout JSONWriter) {
      guard series != .none else {
        var sum = ChannelBucket(period: first)
        for channel in channels {
          sum.merge(window.buckets(channel.statistics).sum(from: first))
        }
        return ChannelFigures.write(sum, &json)
      }
      let buckets = merged(channels)
      var sum = ChannelBucket(period: first)
      for bucket in buckets { sum.merge(bucket) }
      ChannelFigures.write(sum, &json)
      json.key("series")
      json.beginArray()
      for bucket in buckets where bucket.requests > 0 {
        json.beginObject()
        if series == .days {
          json.member("day", CalendarDate(days: bucket.period).text)
          json.member("time", zone.start(ofDay: bucket.period))
        } else {
          json.member("time", bucket.period * window.bucketSeconds)
        }
        ChannelFigures.write(bucket, &json)
        json.endObject()
      }
      json.endArray()
    }

    /// The buckets of the chart from its oldest to its newest, those without anything included.
    private func merged(_ channels: [Channel]) -> [ChannelBucket] {
      var days = LocalDays(zone)
      let start = series == .days ? days.day(at: first * window.bucketSeconds) : first
      var buckets: [ChannelBucket] = []
      for channel in channels {
        window.buckets(channel.statistics).forEach(from: first) { bucket in
          let period =
            series == .days ? days.day(at: bucket.period * window.bucketSeconds) : bucket.period
          let index = Int(clamping: period - start)
          // A clock that was set back leaves buckets in the future.
          guard index < ChannelStatistics.hours else { return }
          while buckets.count <= index {
            buckets.append(ChannelBucket(period: start + Int64(buckets.count)))
          }
          buckets[index].merge(bucket)
        }
      }
      return buckets
    }
  }

  /// Writes the figures into the open object; means and rates are null without anything to count.
  private static func write(_ figures: ChannelBucket, _ json: inout JSONWriter) {
    let errors = max(0, figures.requests - figures.successes)
    json.member("requests", figures.requests)
    json.member("successes", figures.successes)
    json.member("errors", errors)
    writeRate("success_rate", figures.successes, of: figures.requests, &json)
    writeRate("error_rate", errors, of: figures.requests, &json)
    json.key("errors_by_kind")
    json.beginObject()
    for entry in figures.errors.entries {
      guard let kind = ErrorKind(rawValue: entry.kind) else { continue }
      json.member(kind.name, entry.count)
    }
    json.endObject()
    writeMean("latency_ms_mean", figures.latencySum, over: figures.latency.count, &json)
    json.member("latency_ms_p50", figures.latency.percentile(50))
    json.member("latency_ms_p95", figures.latency.percentile(95))
    json.member("latency_ms_p99", figures.latency.percentile(99))
    writeMean("first_byte_ms_mean", figures.firstByteSum, over: figures.firstByte.count, &json)
    json.member("first_byte_ms_p95", figures.firstByte.percentile(95))
    json.member("prompt_tokens", figures.promptTokens)
    json.member("completion_tokens", figures.completionTokens)
  }

  private static func writeRate(
    _ key: StaticString, _ part: Int64, of whole: Int64, _ json: inout JSONWriter
  ) {
    json.key(key)
    guard whole > 0 else { return json.null() }
    // 10⁴ parts, rounded; a count of requests is far from the limit of the type.
    let (scaled, overflowed) = part.multipliedReportingOverflow(by: 10_000)
    guard !overflowed else { return json.null() }
    json.fixedPoint((scaled + whole / 2) / whole, decimals: rateDecimals)
  }

  private static func writeMean(
    _ key: StaticString, _ sum: Int64, over count: Int64, _ json: inout JSONWriter
  ) {
    json.member(key, count > 0 ? sum / count : nil)
  }

  private static func writeLastError(_ channel: Channel, _ json: inout JSONWriter) {
    let statistics = channel.statistics
    json.key("last_error")
    if statistics.lastErrorAt > 0 {
      json.string(AdminText.redacted(statistics.lastError, hiding: channel.keys))
      json.member("last_error_at", statistics.lastErrorAt)
    } else {
      json.null()
      json.key("last_error_at")
      json.null()
    }
  }
}
