// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Members of a channel request about load, place and waking.
struct AdminTrafficInputTests {
  private func record(
    _ text: String, over old: ChannelRecord = ChannelRecord(name: "a", type: "openai")
  ) throws(AdminError) -> ChannelRecord {
    var record = old
    try ChannelInput.applyTraffic(
      try AdminBody(RelayFixtures.buffer(text), knowing: ChannelInput.trafficFields), &record)
    return record
  }

  @Test func takesAllMembers() throws {
    let found = try record(
      """
      {"max_concurrency":100000,"location":"local","wake_mac":"00-11-22-AA-bb-CC",
      "wake_broadcast":"192.168.1.255","wake_timeout_ms":600000,"wake_policy":"fallback"}
      """)
    #expect(found.maxConcurrency == 100_000 && found.location == .local)
    #expect(found.wakeMAC == "00:11:22:aa:bb:cc" && found.wakeBroadcast == "192.168.1.255")
    #expect(found.wakeTimeoutMilliseconds == 600_000 && found.wakePolicy == .fallback)
    let kept = try record(#"{"location":"cloud"}"#, over: found)
    #expect(kept.location == .cloud && kept.wakeMAC == found.wakeMAC)
    #expect(kept.maxConcurrency == 100_000 && kept.wakePolicy == .fallback)
  }

  @Test func takesMembersBack() throws {
    let full = ChannelRecord(
      name: "a", type: "openai", maxConcurrency: 5, location: .cloud,
      wakeMAC: "00:11:22:aa:bb:cc", wakeBroadcast: "10.0.0.255", wakeTimeoutMilliseconds: 9000,
      wakePolicy: .fallback)
    let found = try record(
      """
      {"max_concurrency":0,"location":"auto","wake_mac":"","wake_broadcast":"",
      "wake_timeout_ms":0,"wake_policy":"hold"}
      """, over: full)
    #expect(found.maxConcurrency == 0 && found.location == .automatic)
    #expect(found.wakeMAC.isEmpty && found.wakeBroadcast.isEmpty)
    #expect(found.wakeTimeoutMilliseconds == 0 && found.wakePolicy == .hold)
    #expect(try record(#"{"wake_timeout_ms":null}"#, over: full).wakeTimeoutMilliseconds == 0)
  }

  @Test(arguments: [
    "10.0.0.255", "172.16.0.1", "172.31.255.255", "192.168.0.0", "169.254.255.255", "127.0.0.1",
    "255.255.255.255", "",
  ])
  func takesABroadcastAddressOfTheOwnersNetwork(_ text: String) throws {
    let found = try record(#"{"wake_broadcast":"\#(text)"}"#)
    #expect(found.wakeBroadcast.text == text)
  }

  /// Nobody may have the gateway send packets to strangers.
  @Test(arguments: [
    "8.8.8.8", "1.2.3.255", "172.15.255.255", "172.32.0.0", "192.169.0.1", "11.0.0.0",
    "9.255.255.255",
    "100.64.0.1", "224.0.0.1", "239.255.255.255", "255.255.255.254", "0.0.0.0", "::ffff:8.8.8.8",
    "fd00::1", "::1",
  ])
  func refusesABroadcastAddressOfOthers(_ text: String) {
    do throws(AdminError) {
      _ = try record(#"{"wake_broadcast":"\#(text)"}"#)
      Issue.record("accepted: \(text)")
    } catch {
      #expect(
        error.status == 400
          && error.message.text.contains(
            "wake_broadcast must be a private IPv4 address such as 192.168.1.255, or "
              + "255.255.255.255"),
        "\(error.message.text)")
    }
  }

  @Test(arguments: [
    (#"{"max_concurrency":100001}"#, "max_concurrency must be a whole number from 0 to 100000"),
    (#"{"max_concurrency":-1}"#, "max_concurrency"),
    (#"{"max_concurrency":null}"#, "max_concurrency"),
    (#"{"location":"lan"}"#, "location must be one of auto, local, cloud"),
    (#"{"location":0}"#, "location"), (#"{"wake_policy":"wait"}"#, "wake_policy"),
    (#"{"wake_timeout_ms":999}"#, "wake_timeout_ms must be a whole number from 1000 to 600000"),
    (#"{"wake_timeout_ms":600001}"#, "wake_timeout_ms"),
    (#"{"wake_mac":"00:11:22:aa:bb"}"#, "wake_mac"),
    (#"{"wake_mac":"00:11:22:aa:bb:cg"}"#, "wake_mac"),
    (#"{"wake_mac":"001:1:22:aa:bb:cc"}"#, "wake_mac"),
    (#"{"wake_mac":"001122aabbcc"}"#, "wake_mac"),
    (#"{"wake_mac":"00.11.22.aa.bb.cc"}"#, "wake_mac"), (#"{"wake_mac":null}"#, "wake_mac"),
    (#"{"wake_broadcast":"192.168.1.256"}"#, "wake_broadcast"),
    (#"{"wake_broadcast":"192.168.1"}"#, "wake_broadcast"),
    (#"{"wake_broadcast":"10.0.0.1:9"}"#, "wake_broadcast"),
    (#"{"wake_broadcast":"ff02::1"}"#, "wake_broadcast"),
    (#"{"wake_broadcast":"nas.local"}"#, "wake_broadcast"),
  ])
  func refusesAWrongMember(_ text: String, _ words: String) {
    do throws(AdminError) {
      _ = try record(text)
      Issue.record("accepted: \(text)")
    } catch {
      #expect(error.status == 400 && error.message.text.contains(words), "\(error.message.text)")
    }
  }
}
