// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// Tests every enabled channel in each interval, one after the other; off unless configured.
final class ChannelTestTimer {
  private var schedule = ChannelTestSchedule()
  private var running: ChannelTest?

  /// When `deadlinePassed` wants to be called; nil while off and while a round is under way.
  var deadline: Instant? { schedule.deadline }

  /// Uses another interval; 0 switches the tests off.
  func setInterval(milliseconds: Int64, now: Instant) {
    schedule.setInterval(milliseconds: milliseconds, now: now)
  }

  /// The program stops: no further test, and none that runs.
  func stop(now: Instant) {
    schedule.setInterval(milliseconds: 0, now: now)
    running?.cancel()
    running = nil
  }

  /// Begins a round when one is due.
  func deadlinePassed(now: Instant, _ gateway: Gateway) {
    guard let due = schedule.deadline, due <= now else { return }
    let channels = gateway.channels.all.filter(ChannelTestTimer.isTested).map { $0.id }
    test(schedule.begin(channels, now: now), gateway)
  }

  /// Whether a channel takes part.
  private static func isTested(_ channel: Channel) -> Bool {
    channel.isEnabled && !channel.models.isEmpty
  }

  private func test(_ first: Int64?, _ gateway: Gateway) {
    var candidate = first
    while let id = candidate {
      // It may have been changed since the round began.
      if let channel = gateway.channels.find(id), ChannelTestTimer.isTested(channel),
        let model = channel.models.first
      {
        return test(channel, model, gateway)
      }
      candidate = schedule.next()
    }
  }

  private func test(_ channel: Channel, _ model: ByteString, _ gateway: Gateway) {
    let started = ChannelTest(channel, model, gateway) { [self] result in
      running = nil
      gateway.channelTested(channel, result)
      // In a later turn: a test that fails within its call must not nest the next one.
      gateway.loop.after(milliseconds: 0) { [self] in test(schedule.next(), gateway) }
    }
    if started.isPending { running = started }
  }
}

extension Gateway {
  /// Takes note of how a timed test of a channel went.
  ///
  /// A problem that is no outage is only told: other requests may well be served.
  func channelTested(_ channel: Channel, _ result: ChannelTest.Result) {
    let problem = result.problem
    if problem == nil || result.isOutage {
      channel.health.noteTest(works: problem == nil, at: loop.now)
    }
    log.write(problem == nil ? .info : .warn) { line in
      line.append("channel test channel=")
      line.append(decimal: channel.id)
      line.append(" name=")
      line.append(AdminText.quoted(channel.record.name))
      if let problem {
        line.append(" failed reason=")
        line.append(problem)
      } else {
        line.append(" ok")
      }
    }
  }
}
