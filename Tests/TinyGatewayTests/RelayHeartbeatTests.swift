// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

struct RelayHeartbeatTests {
  private func at(_ milliseconds: Int64) -> Instant {
    Instant(nanoseconds: 7).advanced(byMilliseconds: milliseconds)
  }

  private func text(_ reason: Heartbeat.Reason) -> String {
    let output = Buffer()
    Heartbeat.append(reason, to: output)
    return output.byteString.text
  }

  @Test func writesComments() {
    #expect(text(.upstream) == ": waiting\n\n")
    #expect(text(.waking("workshop")) == ": waking workshop up\n\n")
    #expect(text(.waking("工作站")) == ": waking 工作站 up\n\n")
    #expect(text(.waking("")) == ": waking a machine up\n\n")
  }

  @Test func staysOneCommentWhateverTheName() {
    #expect(text(.waking("a\r\ndata: b\n\nc")) == ": waking a  data: b  c up\n\n")
  }

  @Test func isNoEvent() {
    for reason: Heartbeat.Reason in [.upstream, .waking("a")] {
      let written = ByteString(utf8: text(reason))
      let lines = written.text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count == 3 && lines[0].hasPrefix(":") && lines[1].isEmpty, "\(reason)")
    }
  }

  @Test func neverBeatsWhenItIsOff() {
    var heartbeat = Heartbeat(intervalMilliseconds: 0, now: at(0))
    let output = Buffer()
    #expect(heartbeat.due == nil)
    let hasBeaten = heartbeat.beat(.upstream, now: at(1_000_000), to: output)
    #expect(!hasBeaten)
    #expect(output.isEmpty)
  }

  @Test func beatsAfterEachIntervalOfSilence() {
    var heartbeat = Heartbeat(intervalMilliseconds: 2000, now: at(0))
    let output = Buffer()
    // When, whether it beats, when it is due afterwards.
    let rows: [(Int64, Bool, Int64)] = [
      (0, false, 2000), (1999, false, 2000), (2000, true, 4000), (2001, false, 4000),
      (4500, true, 6500), (60_000, true, 62_000),
    ]
    for (time, beats, due) in rows {
      output.clear()
      let hasBeaten = heartbeat.beat(.upstream, now: at(time), to: output)
      #expect(hasBeaten == beats, "\(time)")
      #expect(output.isEmpty != beats, "\(time)")
      #expect(heartbeat.due == at(due), "\(time)")
    }
  }

  @Test func waitsAnewWhenSomethingElseWasSent() {
    var heartbeat = Heartbeat(intervalMilliseconds: 2000, now: at(0))
    heartbeat.sent(now: at(1500))
    #expect(heartbeat.due == at(3500))
    let output = Buffer()
    let hasBeaten = heartbeat.beat(.upstream, now: at(2000), to: output)
    #expect(!hasBeaten)
  }

  @Test func alwaysBeatsWhileAMachineWakes() {
    for (configured, interval): (Int64, Int64) in [
      (0, 5000), (1000, 1000), (5000, 5000), (600_000, 5000),
    ] {
      let heartbeat = Heartbeat.whileWaking(configuredMilliseconds: configured, now: at(0))
      #expect(heartbeat.due == at(interval), "\(configured)")
    }
  }

  @Test func isConfiguredWithinItsRange() throws {
    for (value, isAllowed) in [
      ("0", true), ("1000", true), ("600000", true), ("1", false), ("999", false),
      ("600001", false), ("-1", false),
    ] {
      switch try ConfigurationFixture("heartbeat_ms: \(value)\n").load() {
      case .success(let configuration):
        #expect(isAllowed, "\(value)")
        #expect("\(configuration.heartbeatMilliseconds)" == value)
      case .failure(let failure):
        #expect(!isAllowed, "\(failure.text)")
        #expect(failure.text.contains("heartbeat_ms"), "\(failure.text)")
      }
    }
    #expect(try ConfigurationFixture().load().get().heartbeatMilliseconds == 0)
  }

  @Test func isReloadable() throws {
    let old = try ConfigurationFixture().load().get()
    let new = try ConfigurationFixture("heartbeat_ms: 15000\n").load().get()
    let (mixed, ignored) = try old.reloaded(from: new)
    #expect(mixed.heartbeatMilliseconds == 15_000)
    #expect(!ignored.contains("heartbeat_ms"))
  }
}
