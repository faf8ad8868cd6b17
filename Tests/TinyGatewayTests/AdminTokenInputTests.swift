// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Periods, rates and address lists in bodies of token requests; who manages whose tokens.
struct AdminTokenInputTests {
  private func apply(
    _ text: String, to old: TokenRecord? = nil, of owner: UserRole = .root
  ) throws(AdminError) -> TokenRecord {
    let buffer = Buffer()
    buffer.append(text: text)
    let user = UserRecord(username: "u", passwordHash: "", role: .root)
    let context = TokenInput.Context(
      caller: user, owner: UserRecord(username: "o", passwordHash: "", role: owner),
      channelGroups: ChannelGroupDirectory(), userGroups: UserGroupDirectory())
    let blank = TokenRecord(userID: 1, name: "t", keyHash: "", keyHint: "")
    return try TokenInput.apply(
      try AdminBody(buffer, knowing: TokenInput.fields), to: old ?? blank, in: context,
      isNew: false)
  }

  @Test func takesPeriodsAndRates() throws {
    for (text, period): (String, QuotaPeriod) in [
      ("none", .none), ("daily", .daily), ("monthly", .monthly),
    ] {
      #expect(try apply(#"{"quota_period":"\#(text)"}"#).quotaPeriod == period)
    }
    let limited = try apply(#"{"rpm":1000000,"tpm":1000000000,"quota_period":"daily"}"#)
    #expect(limited.requestsPerMinute == 1_000_000 && limited.tokensPerMinute == 1_000_000_000)
    let same = try apply("{}", to: limited)
    #expect(same.requestsPerMinute == 1_000_000 && same.quotaPeriod == .daily)
    let free = try apply(#"{"rpm":null,"tpm":null}"#, to: limited)
    #expect(free.requestsPerMinute == 0 && free.tokensPerMinute == 0)
  }

  @Test(arguments: [
    (#"{"rpm":0}"#, "rpm"), (#"{"rpm":1000001}"#, "rpm"), (#"{"rpm":1.5}"#, "rpm"),
    (#"{"rpm":"9"}"#, "rpm"), (#"{"tpm":0}"#, "tpm"), (#"{"tpm":-1}"#, "tpm"),
    (#"{"tpm":1000000001}"#, "tpm"), (#"{"quota_period":"weekly"}"#, "quota_period"),
    (#"{"quota_period":null}"#, "quota_period"), (#"{"quota_period":1}"#, "quota_period"),
  ])
  func refusesOthers(_ text: String, _ field: String) {
    #expect {
      _ = try apply(text)
    } throws: {
      guard let error = $0 as? AdminError else { return false }
      return error.status == 400 && error.message.text.hasPrefix(field + " ")
    }
  }

  @Test(arguments: [
    ("10.0.0.1", "10.0.0.1"), ("10.0.0.1/32", "10.0.0.1"), ("10.0.0.0/8", "10.0.0.0/8"),
    ("::ffff:10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ("::ffff:a00:1/128", "10.0.0.1"), ("::ffff:0:0/96", "0.0.0.0/0"), ("0.0.0.0/0", "0.0.0.0/0"),
    ("2001:DB8:0:0::/32", "2001:db8::/32"), ("2001:db8::1/128", "2001:db8::1"), ("::/0", "::/0"),
  ])
  func writesAddressesInOneForm(_ given: String, _ stored: String) throws {
    #expect(try apply(#"{"allowed_ips":["\#(given)"]}"#).allowedIPs.text == stored)
  }

  @Test func keepsListsOfUsersShort() throws {
    let longest = String(repeating: "m", count: 127)
    func models(_ count: Int, _ last: String) -> String {
      (10..<(10 + count)).map { #""\#($0)\#(longest.dropLast(2))""# }.joined(separator: ",")
        + #","\#(last)""#
    }
    // 31 names with their commas are 3968 bytes; the last one brings them to 4096 and 4097.
    let full = #"{"models":[\#(models(31, longest + "m"))]}"#
    let record = try apply(full, of: .user)
    #expect(record.models.count == TokenInput.userListByteCount)
    #expect(throws: AdminError.self) {
      try apply(#"{"models":[\#(models(31, longest)),"a"]}"#, of: .user)
    }
    #expect(throws: AdminError.self) {
      try apply(#"{"allowed_ips":["::1"]}"#, to: record, of: .user)
    }
    // What a token has from before stays, and administrators may have more.
    var longer = record
    longer.allowedIPs = "::1"
    #expect(try apply(#"{"name":"x"}"#, to: longer, of: .user).models == record.models)
    for role in [UserRole.admin, .root] {
      #expect(try apply(#"{"allowed_ips":["::1"]}"#, to: record, of: role).allowedIPs == "::1")
    }
  }

  @Test(arguments: [
    "10.0.0", "10.0.0.0/33", "10.0.0.0/", "/8", "10.0.0.0/-1", "10.0.0.0/08x", "::ffff:10.0.0.0/8",
    "::ffff:0:0/95", "::/129", "fe80::1%eth0", "localhost", "10.0.0.1 ", "10.0.0.1,10.0.0.2", "",
  ])
  func refusesOtherAddresses(_ text: String) {
    #expect(throws: AdminError.self) { try apply(#"{"allowed_ips":["\#(text)"]}"#) }
  }

  @Test(
    arguments: [
      // Caller, owner; own tokens come below.
      (.root, .root, true), (.root, .admin, true), (.root, .user, true), (.admin, .root, false),
      (.admin, .admin, false), (.admin, .user, true), (.user, .root, false),
      (.user, .admin, false), (.user, .user, false),
    ] as [(UserRole, UserRole, Bool)])
  func managesByRole(_ caller: UserRole, _ owner: UserRole, _ isManaged: Bool) {
    let caller = User(UserRecord(id: 1, username: "a", passwordHash: "", role: caller))
    let owner = User(UserRecord(id: 2, username: "b", passwordHash: "", role: owner))
    #expect(TokenEndpoints.isManaged(owner, by: caller) == isManaged)
    #expect(TokenEndpoints.isManaged(caller, by: caller))
    #expect(TokenEndpoints.isManaged(nil, by: caller) == (caller.record.role == .root))
  }
}
