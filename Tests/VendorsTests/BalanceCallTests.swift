// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Where vendors tell the balance, and how.
struct BalanceCallTests {
  private func path(_ slug: ByteString, _ base: ByteString) throws -> String {
    let vendor = try #require(VendorRegistry.find(slug))
    return try #require(vendor.balance).path(below: base, of: vendor).text
  }

  private func read(
    _ slug: ByteString, _ text: ByteString, host: ByteString = "api.example.com"
  ) throws -> [String]? {
    let call = try #require(VendorRegistry.find(slug)?.balance)
    let balance = call.read(try JSONDocument(text).root, host)
    return balance.map { [$0.amount.text, $0.currency.text] }
  }

  @Test func liesBesideOrBelowTheVersion() throws {
    #expect(try path("deepseek", "/v1") == "/user/balance")
    #expect(try path("deepseek", "") == "/user/balance")
    #expect(try path("deepseek", "/proxy/v1") == "/proxy/user/balance")
    #expect(try path("deepseek", "/proxy") == "/proxy/user/balance")
    #expect(try path("moonshot", "/v1") == "/v1/users/me/balance")
    #expect(try path("moonshot", "") == "/v1/users/me/balance")
  }

  @Test func isKnownOfTheseVendors() {
    let known = VendorRegistry.all.filter { $0.balance != nil }.map { ByteString($0.slug).text }
    #expect(known == ["deepseek", "moonshot"])
  }

  @Test func readsDeepSeek() throws {
    func entry(_ currency: String, _ amount: String) -> ByteString {
      ByteString(utf8: #"{"currency":"\#(currency)","total_balance":\#(amount)}"#)
    }
    func check(_ entries: [ByteString], _ expected: [String]?) throws {
      let list = ByteString(
        Array(entries.map(\.bytes).joined(separator: ByteString(",").bytes)))
      let text = #"{"is_available":true,"balance_infos":[\#(list.text)]}"#
      #expect(try read("deepseek", ByteString(utf8: text)) == expected)
    }
    try check([entry("CNY", #""110.00""#)], ["110.00", "CNY"])
    try check([entry("USD", #""-0.5""#)], ["-0.5", "USD"])
    // The currency in which there is money.
    try check([entry("CNY", #""0.00""#), entry("USD", #""3.10""#)], ["3.10", "USD"])
    try check([entry("CNY", #""0.00""#), entry("USD", #""0.00""#)], ["0.00", "CNY"])
    try check([], nil)
    for amount in [#""""#, #""much""#, #""1,000""#, "110", "null", #""1e999""#] {
      try check([entry("CNY", amount)], nil)
    }
    for currency in ["", "cny", "CNYX", #"C\"Y"#] {
      try check([entry(currency, #""1""#)], nil)
    }
    #expect(try read("deepseek", #"{"balance_infos":{}}"#) == nil)
    #expect(try read("deepseek", "[]") == nil)
  }

  @Test func readsMoonshot() throws {
    let text: ByteString = """
      {"code":0,"data":{"available_balance":49.58894,"voucher_balance":46.58893,"cash_balance":3},\
      "scode":"0x0","status":true}
      """
    #expect(try read("moonshot", text, host: "api.moonshot.cn") == ["49.58894", "CNY"])
    #expect(try read("moonshot", text, host: "API.Moonshot.AI") == ["49.58894", "USD"])
    #expect(try read("moonshot", text, host: "moonshot.ai.example.com") == ["49.58894", "CNY"])
    #expect(
      try read("moonshot", #"{"data":{"available_balance":-1.5e-7}}"#) == ["-0.00000015", "CNY"])
    for text: ByteString in [
      #"{"data":{"available_balance":"49"}}"#, #"{"data":{}}"#, #"{"data":null}"#, "{}", "[]",
    ] {
      #expect(try read("moonshot", text) == nil)
    }
  }
}
