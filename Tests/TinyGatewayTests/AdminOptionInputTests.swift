// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Run-time options: what is taken over, stored and read again.
struct AdminOptionInputTests {
  private let groups = UserGroupDirectory()

  init() {
    groups.put(UserGroupRecord(id: 1, name: "default"))
    groups.put(UserGroupRecord(id: 2, name: "new 人"))
  }

  private func apply(
    _ text: String, over old: Options = Options()
  ) throws(AdminError) -> Options {
    let body = try AdminBody(RelayFixtures.buffer(text), knowing: OptionInput.fields)
    return try OptionInput.apply(body, to: old, groups)
  }

  private static let whole = """
    {"quota_per_unit":1000000000,"currency":"CNY","unpriced_models":"refuse",\
    "unpriced_ratio":"0.000001","assumed_completion_tokens":0,"registration":true,\
    "new_user_quota":null,"new_user_group":"new 人","log_days":3650,"statistics_days":1}
    """

  @Test func takesAllAndWritesThemAsTheyCame() throws {
    let options = try apply(Self.whole)
    #expect(options.quotaPerUnit == 1_000_000_000 && options.currency == "CNY")
    #expect(options.unpricedModels == .refuse && options.unpricedRatio.millionths == 1)
    #expect(options.assumedCompletionTokens == 0 && options.isRegistrationOpen)
    #expect(options.newUserQuota == nil && options.newUserGroup == "new 人")
    #expect(options.logDays == 3650 && options.statisticsDays == 1)
    #expect(OptionInput.text(options).text == Self.whole)
  }

  @Test func readsWhatItStored() throws {
    for options in [Options(), try apply(Self.whole)] {
      #expect(try OptionInput.options(stored: OptionInput.text(options), groups) == options)
    }
    #expect(try OptionInput.options(stored: #"{"log_days":3}"#, groups).logDays == 3)
  }

  @Test func keepsWhatIsLeftOut() throws {
    let old = try apply(Self.whole)
    #expect(try apply("{}", over: old) == old)
    var expected = old
    expected.newUserQuota = 7
    #expect(try apply(#"{"new_user_quota":7}"#, over: old) == expected)
  }

  @Test(arguments: ["", "{", "[]", #"{"unknown":1}"#, #"{"new_user_group":"gone"}"#])
  func refusesADamagedText(_ text: String) {
    #expect(throws: AdminError.self) {
      try OptionInput.options(stored: ByteString(utf8: text), groups)
    }
  }

  @Test(arguments: [
    (#"{"quota_per_unit":0}"#, "from 1 to 1000000000"),
    (#"{"quota_per_unit":1000000001}"#, "quota_per_unit"), (#"{"currency":"usd"}"#, "currency"),
    (#"{"currency":"EURO"}"#, "three capital letters"), (#"{"currency":null}"#, "currency"),
    (#"{"unpriced_models":"deny"}"#, "one of free, ratio, refuse"),
    (#"{"unpriced_ratio":0.5}"#, "unpriced_ratio"), (#"{"unpriced_ratio":"-1"}"#, "unpriced_ratio"),
    (#"{"unpriced_ratio":"0.0000001"}"#, "6 places"), (#"{"unpriced_ratio":"1000001"}"#, "1000000"),
    (#"{"assumed_completion_tokens":1000001}"#, "from 0 to 1000000"),
    (#"{"assumed_completion_tokens":null}"#, "assumed_completion_tokens"),
    (#"{"registration":"yes"}"#, "true or false"), (#"{"new_user_quota":-1}"#, "new_user_quota"),
    (#"{"new_user_quota":9000000000001}"#, "new_user_quota"),
    (#"{"new_user_group":"gold"}"#, #"new_user_group names the user group "gold""#),
    (#"{"log_days":3651}"#, "from 0 to 3650"), (#"{"statistics_days":0}"#, "from 1 to 3650"),
    (#"{"jwt_secret":"x"}"#, "jwt_secret"),
  ])
  func refusesAWrongField(_ text: String, _ words: String) {
    do throws(AdminError) {
      _ = try apply(text)
      Issue.record("accepted: \(text)")
    } catch {
      #expect(error.status == 400)
      #expect(error.message.text.contains(words), "\(error.message.text)")
    }
  }
}
