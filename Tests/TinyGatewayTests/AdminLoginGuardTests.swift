// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// The brake on guessing passwords, with a clock of the test's own.
struct AdminLoginGuardTests {
  private let home = IPAddress("192.168.1.2" as ByteString)
  private let away = IPAddress("203.0.113.9" as ByteString)
  private let start = Instant(nanoseconds: 1_000_000_000_000)

  private func after(_ milliseconds: Int64) -> Instant {
    start.advanced(byMilliseconds: milliseconds)
  }

  @Test func allowsFiveFailuresThenDoublesUpToAQuarterOfAnHour() {
    let guarding = LoginGuard()
    var now = start
    var delays: [Int64] = []
    for _ in 0..<18 {
      #expect(guarding.delay(address: home, account: "root", now: now) == nil)
      guarding.failed(address: home, account: "root", now: now)
      let delay = guarding.delay(address: home, account: "root", now: now) ?? 0
      delays.append(delay / 1000)
      now = now.advanced(byMilliseconds: delay)
    }
    #expect(
      delays == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900])
  }

  @Test func countsPerAccountFromManyAddresses() {
    let guarding = LoginGuard()
    for last in 1...5 {
      let address = IPAddress(ByteString(utf8: "203.0.113.\(last)"))
      guarding.failed(address: address, account: "root", now: start)
    }
    #expect(guarding.delay(address: home, account: "root", now: start) != nil)
    #expect(guarding.delay(address: home, account: "other", now: start) == nil)
  }

  @Test func countsPerAddressOverManyAccounts() {
    let guarding = LoginGuard()
    for name in ["a", "b", "c", "d", "e"] as [ByteString] {
      guarding.failed(address: away, account: name, now: start)
    }
    #expect(guarding.delay(address: away, account: "fresh", now: start) != nil)
    #expect(guarding.delay(address: home, account: "fresh", now: start) == nil)
  }

  @Test func takesAnIPv6NetworkAsOneAddress() {
    let guarding = LoginGuard()
    for last in 1...5 {
      let address = IPAddress(ByteString(utf8: "2001:db8:0:1::\(last)"))
      guarding.failed(address: address, account: ByteString(utf8: "user\(last)"), now: start)
    }
    let neighbour = IPAddress("2001:db8:0:1:ffff::1" as ByteString)
    let stranger = IPAddress("2001:db8:0:2::1" as ByteString)
    #expect(guarding.delay(address: neighbour, account: "x", now: start) != nil)
    #expect(guarding.delay(address: stranger, account: "x", now: start) == nil)
  }

  @Test func forgetsTheAccountAfterARightPasswordButNotTheAddress() {
    let guarding = LoginGuard()
    for _ in 0..<4 { guarding.failed(address: away, account: "root", now: start) }
    guarding.succeeded(account: "root")
    guarding.failed(address: home, account: "root", now: start)
    #expect(guarding.delay(address: home, account: "root", now: start) == nil)
    guarding.failed(address: away, account: "other", now: start)
    #expect(guarding.delay(address: away, account: "third", now: start) != nil)
  }

  @Test func forgetsAfterAQuietQuarterOfAnHour() {
    let guarding = LoginGuard()
    for _ in 0..<4 { guarding.failed(address: home, account: "root", now: start) }
    guarding.failed(address: home, account: "root", now: after(15 * 60_000))
    #expect(guarding.delay(address: home, account: "root", now: after(15 * 60_000)) == nil)
  }

  @Test func remembersWhileTheDelayLasts() {
    let guarding = LoginGuard()
    for _ in 0..<5 { guarding.failed(address: home, account: "root", now: start) }
    guarding.failed(address: home, account: "root", now: after(15 * 60_000))
    #expect((guarding.delay(address: home, account: "root", now: after(15 * 60_000)) ?? 0) > 1000)
  }

  @Test func keepsABoundedNumberOfEntriesAndDropsTheOldest() {
    let guarding = LoginGuard()
    for _ in 0..<5 { guarding.failed(address: home, account: "target", now: start) }
    for number in 0..<4300 {
      guarding.failed(
        address: nil, account: ByteString(utf8: "user\(number)"), now: after(Int64(number) + 1))
    }
    #expect(guarding.entryCount == LoginGuard.entryLimit)
    #expect(guarding.delay(address: home, account: "target", now: start) == nil)
    for _ in 0..<4 { guarding.failed(address: home, account: "user4299", now: after(9000)) }
    #expect(guarding.delay(address: home, account: "user4299", now: after(9000)) != nil)
  }
}
