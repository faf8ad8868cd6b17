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

  /// Decimals of a rate.
  private static let rateDecimals = 4

  /// Writes a page of channels with their figures.
  @Sendable static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let window = try window(request)
    let hasSeries = try hasSeries(request)
    let first = UnixTime.seconds / window.bucketSeconds - window.bucketCount + 1
    json.beginObject()
    json.member("window", window.name)
    json.member("bucket_seconds", window.bucketSeconds)
    let limit = hasSeries ? window.seriesPageSize : Store.Page.sizeLimit
    try request.writePage(
      of: request.gateway.channels.all, sizeLimit: limit, &json
    ) { channel, json in
      let buckets = window.buckets(channel.statistics)
      json.beginObject()
      json.member("channel_id", channel.id)
      json.member("name", channel.record.name)
      json.member("status", ChannelEndpoints.name(of: channel.shownStatus))
      write(buckets.sum(from: first), &json)
      writeLastError(channel, &json)
      if hasSeries {
        json.key("series")
        json.beginArray()
        buckets.forEach(from: first) { bucket in
          json.beginObject()
          json.member("time", bucket.period * window.bucketSeconds)
          write(bucket, &json)
          json.endObject()
        }
        json.endArray()
      }
      json.endObject()
    }
    json.endObject()
  }

  private static func window(_ request: AdminRequest) throws(AdminError) -> Window {
    let wanted = request.parameter("window") ?? "1h"
    guard let window = windows.first(where: { wanted == $0.name }) else {
      throw AdminError(400, "invalid_parameter", "window must be 1h, 24h or 30d.")
    }
    return window
  }

  private static func hasSeries(_ request: AdminRequest) throws(AdminError) -> Bool {
    guard let text = request.parameter("series") else { return false }
    if text == "1" { return true }
    guard text == "0" else { throw AdminError(400, "invalid_parameter", "series must be 0 or 1.") }
    return false
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
    for (index, count) in figures.errors.enumerated() where count > 0 {
      guard let kind = ErrorKind(rawValue: Int64(index)) else { continue }
      json.member(kind.name, count)
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
