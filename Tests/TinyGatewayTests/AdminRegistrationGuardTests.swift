// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// How many accounts one address may make, with a clock of the test's own.
struct AdminRegistrationGuardTests {
  private let home = IPAddress("192.168.1.2" as ByteString)
  private let start = Instant(nanoseconds: 1_000_000_000_000)

  private func after(minutes: Int64) -> Instant {
    start.advanced(byMilliseconds: minutes * 60_000)
  }

  @Test func allowsFiveInAnyHour() {
    let guarding = RegistrationGuard()
    for minute: Int64 in [0, 10, 20, 30, 40] {
      #expect(guarding.admit(home, now: after(minutes: minute)) == nil)
    }
    #expect(guarding.admit(home, now: after(minutes: 59)) == 60_001)
    #expect(guarding.admit(home, now: after(minutes: 60)) == nil)
    #expect(guarding.admit(home, now: after(minutes: 60)) == 600_001)
    #expect(guarding.admit(home, now: after(minutes: 70)) == nil)
  }

  @Test func countsAddressesApartAndANetworkAsOne() {
    let guarding = RegistrationGuard()
    for last in 1...5 {
      let address = IPAddress(ByteString(utf8: "2001:db8:0:1::\(last)"))
      #expect(guarding.admit(address, now: start) == nil)
    }
    #expect(guarding.admit(IPAddress("2001:db8:0:1::9" as ByteString), now: start) != nil)
    #expect(guarding.admit(IPAddress("2001:db8:0:2::9" as ByteString), now: start) == nil)
    #expect(guarding.admit(home, now: start) == nil)
    #expect(guarding.admit(nil, now: start) == nil)
  }

  @Test func remembersABoundedNumberOfAddresses() {
    let guarding = RegistrationGuard()
    for _ in 0..<5 { _ = guarding.admit(home, now: start) }
    for number in 0..<1100 {
      let address = IPAddress(ByteString(utf8: "10.1.\(number / 256).\(number % 256)"))
      _ = guarding.admit(address, now: after(minutes: 1))
    }
    #expect(guarding.entryCount == RegistrationGuard.entryLimit)
    #expect(guarding.admit(home, now: after(minutes: 2)) == nil)
  }
}
