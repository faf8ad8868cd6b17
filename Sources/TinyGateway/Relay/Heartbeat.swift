// SPDX-License-Identifier: MIT
import Platform

/// When an event stream that is silent gets a comment, so that clients and proxies keep the
/// connection; and the comment.
///
/// A pure value: its owner asks `due` for its deadline, calls `sent` for whatever it sends to the
/// client, and `beat` when it is time. Comments are no events: clients skip them.
/// Source: HTML Standard, "Server-sent events" (comments, and the note on keeping connections).
struct Heartbeat: Equatable, Sendable {
  /// The shortest interval that may be configured, in milliseconds.
  static let leastMilliseconds: Int64 = 1000
  /// The longest interval while a machine is being woken: a client must not give up before the
  /// machine had its time.
  static let wakingMilliseconds: Int64 = 5000

  /// What the client waits for.
  enum Reason: Equatable, Sendable {
    /// A machine that is being woken; the channel's name, or nothing where it is not to be told.
    case waking(ByteString)
    /// The upstream's next event.
    case upstream
  }

  /// 0 for none.
  let intervalMilliseconds: Int64
  private var lastSentAt: Instant

  /// Starts to count; an interval of 0 means no heartbeats.
  init(intervalMilliseconds: Int64, now: Instant) {
    self.intervalMilliseconds = intervalMilliseconds
    lastSentAt = now
  }

  /// The heartbeat of a request that is held while a machine wakes: also when none is configured.
  static func whileWaking(configuredMilliseconds: Int64, now: Instant) -> Heartbeat {
    let configured = configuredMilliseconds > 0 ? configuredMilliseconds : wakingMilliseconds
    return Heartbeat(intervalMilliseconds: min(configured, wakingMilliseconds), now: now)
  }

  /// When the next comment is due; nil for never.
  var due: Instant? {
    intervalMilliseconds > 0 ? lastSentAt.advanced(byMilliseconds: intervalMilliseconds) : nil
  }

  /// Something else went to the client: the silence begins anew.
  mutating func sent(now: Instant) { lastSentAt = now }

  /// Appends a comment if one is due.
  ///
  /// Only between whole events, and behind the head of the answer.
  /// - Returns: whether it did.
  mutating func beat(_ reason: Reason, now: Instant, to output: Buffer) -> Bool {
    guard let due, now >= due else { return false }
    lastSentAt = now
    Heartbeat.append(reason, to: output)
    return true
  }

  /// Appends a comment.
  static func append(_ reason: Reason, to output: Buffer) {
    switch reason {
    case .waking(let channel) where channel.isEmpty: output.append(": waking a machine up\n\n")
    case .waking(let channel):
      output.append(": waking ")
      // A line end would end the comment, and what follows it would be an event.
      for byte in channel.bytes { output.append(byte < 0x20 ? 0x20 : byte) }
      output.append(" up\n\n")
    case .upstream: output.append(": waiting\n\n")
    }
  }
}
