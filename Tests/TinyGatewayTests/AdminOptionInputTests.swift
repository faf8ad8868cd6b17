// SPDX-License-Identifier: MIT
import MiniJSON
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
      let loaded = OptionInput.load(OptionInput.text(options), groups)
      #expect(loaded.options == options && loaded.problems.isEmpty)
    }
    var expected = Options()
    expected.logDays = 3
    let loaded = OptionInput.load(#"{"log_days":3}"#, groups)
    #expect(loaded.options == expected && loaded.problems.isEmpty)
  }

  @Test func keepsWhatAnotherVersionStored() throws {
    let stored: ByteString =
      #"{"future":{"a":[1, "}"]},"log_days":3,"unpriced_models":"refuse","x\u0041":null}"#
    let (options, problems) = OptionInput.load(stored, groups)
    #expect(problems.isEmpty)
    #expect(options.logDays == 3 && options.unpricedModels == .refuse)
    let changed = try apply(#"{"log_days":4}"#, over: options)
    let text = OptionInput.text(changed).text
    #expect(text.hasSuffix(#""statistics_days":400,"future":{"a":[1, "}"]},"xA":null}"#), "\(text)")
    let again = OptionInput.load(OptionInput.text(changed), groups)
    #expect(again.options == changed && again.options.logDays == 4)
    let shown = Buffer()
    var json = JSONWriter(shown)
    OptionInput.write(changed, &json)
    #expect(!shown.byteString.text.contains("future"))
  }

  @Test(arguments: [
    ("quota_per_unit", "0"), ("currency", #""usd""#), ("unpriced_ratio", "1"),
    ("assumed_completion_tokens", "null"), ("registration", "1"), ("new_user_quota", #""x""#),
    ("new_user_group", #""gone""#), ("log_days", "-1"), ("statistics_days", "0"),
  ])
  func leavesOutOnlyTheMemberThatDoesNotFit(_ name: String, _ value: String) throws {
    let policy = #""unpriced_models":"free""#
    let (options, problems) = OptionInput.load(
      ByteString(utf8: "{\(policy),\"\(name)\":\(value)}"), groups)
    var expected = Options()
    expected.unpricedModels = .free
    #expect(options == expected && problems.count == 1)
    #expect(problems.first?.text.contains(name) == true)
  }

  @Test func keepsWhatIsLeftOut() throws {
    let old = try apply(Self.whole)
    #expect(try apply("{}", over: old) == old)
    var expected = old
    expected.newUserQuota = 7
    #expect(try apply(#"{"new_user_quota":7}"#, over: old) == expected)
  }

  @Test(arguments: ["", "{", "[]", #"{"unpriced_models":"ask"}"#, #"{"unpriced_models":null}"#])
  func refusesUnpricedModelsWhenThatCannotBeRead(_ text: String) {
    let (options, problems) = OptionInput.load(ByteString(utf8: text), groups)
    var expected = Options()
    expected.unpricedModels = .refuse
    #expect(options == expected && problems.count == 1)
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
