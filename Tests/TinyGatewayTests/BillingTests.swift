// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store
import Testing

@testable import TinyGateway

/// The balance that chat clients show.
struct BillingTests {
  private var options = Options()

  private func text(
    _ call: Billing.Call, token quota: Int64?, user userQuota: Int64?, used: Int64,
    inPeriod: Int64? = nil, expiresAt: Int64? = nil
  ) throws -> String {
    let token = try Token(
      TokenRecord(
        userID: 1, name: "t", keyHash: Digest.sha256("key").bytes, keyHint: "",
        expiresAt: expiresAt, quota: quota, usedMicro: used))
    let user = User(
      UserRecord(username: "u", passwordHash: "", quota: userQuota, usedMicro: used))
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    let usage = Billing.Usage(token: token, user: user, usedMicro: inPeriod ?? used)
    Billing.write(call, usage, options, &json)
    return buffer.byteString.text
  }

  private func check(
    token: Int64?, user: Int64?, used: Int64 = 0, limit: String,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let found = try text(.subscription, token: token, user: user, used: used)
    #expect(
      found
        == #"{"object":"billing_subscription","has_payment_method":true,"soft_limit_usd":"#
        + "\(limit),\"hard_limit_usd\":\(limit),\"system_hard_limit_usd\":\(limit),"
        + "\"access_until\":0}", sourceLocation: location)
  }

  @Test func tellsTheLesserLimit() throws {
    try check(token: 500_000, user: nil, limit: "1")
    try check(token: nil, user: 750_000, limit: "1.5")
    try check(token: 500_000, user: 250_000, limit: "0.5")
    try check(token: nil, user: nil, limit: "100000000")
    try check(token: 1, user: nil, limit: "0.000002")
    try check(token: 500_000, user: nil, used: 100_000_000_000, limit: "1")
    try check(token: 500_000, user: 1, used: 100_000_000_000, limit: "0.2")
    try check(token: .max, user: nil, limit: "18446744.07371")
  }

  @Test func countsThePresentPeriodOnly() throws {
    let used: Int64 = 400_000_000_000
    for (inPeriod, hundredths) in [(0, "0"), (100_000_000_000, "20")] as [(Int64, String)] {
      let limit = try text(
        .subscription, token: 500_000, user: nil, used: used, inPeriod: inPeriod)
      #expect(limit.contains(#""hard_limit_usd":1,"#))
      // Of the owner's quota, which has no period, 100000 are left.
      let owners = try text(
        .subscription, token: 500_000, user: 500_000, used: used, inPeriod: inPeriod)
      #expect(owners.contains("\"hard_limit_usd\":\(inPeriod == 0 ? "0.2" : "0.4"),"))
      let usage = try text(.usage, token: 500_000, user: nil, used: used, inPeriod: inPeriod)
      #expect(usage.contains("\"total_usage\":\(hundredths)}"))
    }
  }

  @Test func tellsTheExpiry() throws {
    let found = try text(.subscription, token: 1, user: nil, used: 0, expiresAt: 1_900_000_000)
    #expect(found.hasSuffix("\"access_until\":1900000000}"))
  }

  @Test(arguments: [
    (0, "0"), (16_000_000, "0.0032"), (500_000_000_000, "100"), (1, "0"), (2500, "0.000001"),
    (2499, "0"), (333_333, "0.000067"),
  ])
  func tellsHundredthsUsed(_ micro: Int64, _ expected: String) throws {
    let found = try text(.usage, token: nil, user: nil, used: micro)
    #expect(found == "{\"object\":\"list\",\"total_usage\":\(expected)}")
  }

  @Test func isExactForAnyUnit() {
    var other = Options()
    other.quotaPerUnit = 3
    #expect(Billing.amount(10, other, hundredths: false) == 3)
    #expect(Billing.amount(11, other, hundredths: false) == 4)
    #expect(Billing.amount(10, other, hundredths: true) == 333)
    #expect(Billing.amount(.max, other, hundredths: true) == .max)
    other.quotaPerUnit = 0
    #expect(Billing.amount(7, other, hundredths: false) == 7)
    other.quotaPerUnit = .max
    #expect(Billing.amount(.max, other, hundredths: false) == 1)
  }

  @Test(
    arguments: [
      (0, 500_000, "0"), (16_000_000, 500_000, "0.000032"), (250_000, 500_000, "0.000001"),
      (249_999, 500_000, "0"), (500_000_000_000, 500_000, "1"), (20_000_000, 7, "2.857143"),
      (.max, 1, "9223372036854.775807"), (.max, 1_000_000_000, "9223.372037"),
    ] as [(Int64, Int64, String)])
  func writesCostsAsDecimals(_ micro: Int64, _ quotaPerUnit: Int64, _ expected: String) {
    var other = Options()
    other.quotaPerUnit = quotaPerUnit
    #expect(Billing.cost(micro, other).text == expected)
  }

  @Test(
    arguments: [
      ("/dashboard/billing/subscription", true), ("/v1/dashboard/billing/usage", true),
      ("/dashboard/billing", false), ("/v1/dashboard/billing/usage/", false), ("/v1/usage", false),
    ] as [(ByteString, Bool)])
  func isFoundByThePath(_ path: ByteString, _ isKnown: Bool) {
    #expect((Billing.Call(path) != nil) == isKnown)
  }
}
