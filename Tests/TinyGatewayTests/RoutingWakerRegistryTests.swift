// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Machines woken over loopback: packets, polls, and who is told what.
@Suite(.serialized)
struct RoutingWakerRegistryTests {
  @Test func wakesAMachineAndTellsAllThatWait() throws {
    let fixture = try WakeFixture()
    let channel = try fixture.channel()
    var told: [Bool] = []
    fixture.wait(for: channel) { told.append($0) }
    #expect(fixture.takePacket() == fixture.mac.magicPacket)
    fixture.wait(for: channel) { told.append($0) }
    #expect(fixture.takePacket() == nil)
    #expect(fixture.registry.count == 1)
    let _ = fixture.countTurns(milliseconds: 20)
    #expect(told.isEmpty)
    try fixture.boot()
    fixture.turn { told.count == 2 }
    #expect(told == [true, true])
    #expect(Set(fixture.paths) == ["/v1/models"])
    #expect(fixture.registry.count == 0)
  }

  @Test func tellsNobodyWithinTheCall() throws {
    let fixture = try WakeFixture()
    try fixture.boot()
    let channel = try fixture.channel()
    var told: [Bool] = []
    fixture.wait(for: channel) { told.append($0) }
    #expect(told.isEmpty)
    fixture.turn { told == [true] }
    #expect(fixture.takePacket() == fixture.mac.magicPacket)
  }

  @Test func repeatsThePacket() throws {
    let fixture = try WakeFixture(packet: 10)
    fixture.wait(for: try fixture.channel()) { _ in }
    var packets = 0
    fixture.turn {
      while let packet = fixture.takePacket() {
        #expect(packet == fixture.mac.magicPacket)
        packets += 1
      }
      return packets == 4
    }
  }

  @Test func givesUpAtTheDeadlineAndPauses() throws {
    let fixture = try WakeFixture(pause: 60_000)
    let channel = try fixture.channel()
    var told: [Bool] = []
    for _ in 1...3 { fixture.wait(for: channel, timeout: 30) { told.append($0) } }
    fixture.turn { !told.isEmpty }
    #expect(told == [false, false, false])
    #expect(fixture.takePacket() != nil)

    // At once, but never within the call; nothing is sent and nobody is asked.
    try fixture.boot()
    fixture.wait(for: channel) { told.append($0) }
    #expect(told.count == 3)
    fixture.gateway.loop.wakeAt = 0
    fixture.gateway.loop.turn()
    #expect(told == [false, false, false, false])
    #expect(fixture.takePacket() == nil)
    #expect(fixture.paths.isEmpty)
    #expect(fixture.registry.count == 1)
  }

  @Test func triesAgainAfterThePause() throws {
    let fixture = try WakeFixture(pause: 1)
    let channel = try fixture.channel()
    var told: [Bool] = []
    fixture.wait(for: channel, timeout: 10) { told.append($0) }
    fixture.turn { told == [false] }
    _ = fixture.takePacket()
    try fixture.boot()
    _ = fixture.countTurns(milliseconds: 2)
    fixture.wait(for: channel) { told.append($0) }
    #expect(fixture.takePacket() != nil)
    fixture.turn { told == [false, true] }
  }

  @Test func waitsWhileTheServerLoadsItsModel() throws {
    let fixture = try WakeFixture()
    let channel = try fixture.channel()
    try fixture.boot()
    var told: [Bool] = []
    fixture.answer = (503, #"{"error":{"code":503,"message":"Loading model"}}"#)
    fixture.wait(for: channel) { told.append($0) }
    fixture.turn { fixture.paths.count == 3 }
    fixture.answer = (200, #"{"data":[{"id":"a","owned_by":"llamacpp","meta":null}]}"#)
    fixture.turn { fixture.paths.count == 6 }
    #expect(told.isEmpty)
    fixture.answer = (200, #"{"data":[{"id":"a","owned_by":"llamacpp","meta":{"size":1}}]}"#)
    fixture.turn { told == [true] }
  }

  @Test func asksOnceAtATimeAndHangsUpWhenItGivesUp() throws {
    let fixture = try WakeFixture()
    try fixture.boot()
    fixture.answer = nil
    var told: [Bool] = []
    fixture.wait(for: try fixture.channel(), timeout: 100) { told.append($0) }
    fixture.turn { told == [false] }
    #expect(fixture.paths.count == 1)
    fixture.turn { fixture.cancelCount == 1 }
  }

  @Test func aCancelledWaitIsNotTold() throws {
    let fixture = try WakeFixture()
    let channel = try fixture.channel()
    var told: [Int] = []
    let first = fixture.wait(for: channel) { _ in told.append(1) }
    fixture.wait(for: channel) { _ in told.append(2) }
    fixture.registry.cancel(first)
    fixture.registry.cancel(first)
    try fixture.boot()
    fixture.turn { !told.isEmpty }
    #expect(told == [2])
  }

  @Test func oneThatIsToldMayCancelAnother() throws {
    let fixture = try WakeFixture()
    let channel = try fixture.channel()
    var told: [Int] = []
    var second: WaitID?
    fixture.wait(for: channel) { _ in
      told.append(1)
      if let second { fixture.registry.cancel(second) }
    }
    second = fixture.wait(for: channel) { _ in told.append(2) }
    fixture.wait(for: channel) { _ in told.append(3) }
    try fixture.boot()
    fixture.turn { told.count == 2 }
    #expect(told == [1, 3])
  }

  @Test func oneThatIsToldMayWaitAgain() throws {
    let fixture = try WakeFixture()
    let channel = try fixture.channel()
    try fixture.boot()
    var told: [Bool] = []
    fixture.wait(for: channel) { isUp in
      told.append(isUp)
      fixture.wait(for: channel) { told.append($0) }
    }
    fixture.turn { told == [true, true] }
    #expect(fixture.registry.count == 0)
  }

  @Test func nothingRunsWhenNobodyWaits() throws {
    let fixture = try WakeFixture(packet: 10)
    let handlers = fixture.gateway.loop.handlerCount
    var told = 0
    let waits = try (1...2).map { id in
      fixture.wait(for: try fixture.channel(id)) { _ in told += 1 }
    }
    #expect(fixture.registry.count == 2)
    _ = fixture.countTurns(milliseconds: 30)
    for wait in waits { fixture.registry.cancel(wait) }
    fixture.turn { fixture.registry.count == 0 }
    while fixture.takePacket() != nil {}
    // A deadline that was moved may be looked at once more.
    #expect(fixture.countTurns(milliseconds: 50) < 10)
    fixture.turn { fixture.gateway.loop.handlerCount == handlers }
    #expect(fixture.takePacket() == nil)
    #expect(told == 0)
  }

  @Test func wakesEachChannelByItself() throws {
    let fixture = try WakeFixture(pause: 60_000)
    let alive = try fixture.channel(1)
    let dead = try fixture.channel(2, port: 1)
    try fixture.boot()
    var told: [String] = []
    fixture.wait(for: dead, timeout: 100) { told.append("dead \($0)") }
    fixture.wait(for: alive) { told.append("alive \($0)") }
    fixture.turn { told.count == 2 }
    #expect(told == ["alive true", "dead false"])
  }

  /// Settings may be corrected while requests wait.
  @Test func asksWhereTheLatestRequestSays() throws {
    let fixture = try WakeFixture()
    try fixture.boot()
    var told: [Bool] = []
    fixture.wait(for: try fixture.channel(1, port: 1)) { told.append($0) }
    fixture.turn { fixture.takePacket() != nil }
    _ = fixture.countTurns(milliseconds: 10)
    #expect(told.isEmpty)
    fixture.wait(for: try fixture.channel(1)) { told.append($0) }
    fixture.turn { told == [true, true] }
  }

  @Test func logsPacketSuccessAndFailureOnce() throws {
    let fixture = try WakeFixture(packet: 5)
    let channel = try fixture.channel()
    var told: [Bool] = []
    fixture.wait(for: channel, timeout: 50) { told.append($0) }
    fixture.turn { told == [false] }
    try fixture.boot()
    fixture.wait(for: try fixture.channel(2)) { told.append($0) }
    fixture.turn { told.count == 2 }
    let lines = try fixture.logLines()
    try #require(lines.count == 4, "\(lines)")
    #expect(lines[0] == "channel 1: magic packet sent to 127.0.0.1")
    #expect(lines[1].hasPrefix("channel 1: not up after "))
    #expect(lines[2] == "channel 2: magic packet sent to 127.0.0.1")
    #expect(lines[3].hasPrefix("channel 2: up after "))
  }

  @Test func knowsWhichAnswersShowAMachineAtWork() {
    let loading = #"{"data":[{"id":"a","owned_by":"llamacpp","meta":null}]}"#
    for (status, body, isUp): (Int, String, Bool) in [
      (200, "", true), (200, "{}", true), (200, "not JSON", true), (204, "", true),
      (301, "", true), (401, "", true), (404, "", true), (429, "", true), (499, "", true),
      (500, "", false), (501, "", true), (502, "", false), (503, "", false), (504, "", false),
      (599, "", true), (200, loading, false), (404, loading, true),
      (200, #"{"data":[{"id":"a","owned_by":"llamacpp","meta":{}}]}"#, true),
      (200, #"{"data":[{"id":"a","owned_by":"llamacpp"}]}"#, true),
      (200, #"{"data":[{"id":"a","owned_by":"somebody","meta":null}]}"#, true),
      (200, #"{"data":[]}"#, true), (200, #"{"data":null}"#, true), (200, "[]", true),
    ] {
      #expect(
        ChannelWaker.isUp(status: status, RelayFixtures.buffer(body)) == isUp,
        "\(status) \(body)")
    }
  }
}
