// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// What an owner reads when a channel test fails.
struct ProbeProblemTests {
  private func channel() throws -> Channel {
    var record = RelayFixtures.record(models: "chat")
    record.modelMapping = "chat\tvendor-model"
    record.keys = "upstream-key-0123456789"
    return try RelayFixtures.channel(record)
  }

  private func problem(_ status: Int?, _ body: String) throws -> String? {
    var outcome = UpstreamProbe.Outcome()
    outcome.status = status
    outcome.body.append(text: body)
    outcome.failure = "no connection"
    return ChannelTest.problem(outcome, try channel(), "chat")?.text
  }

  private func check(
    _ status: Int, _ body: String, _ expected: String,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try problem(status, body) == expected, sourceLocation: location)
  }

  private func error(_ message: String, type: String = "x", code: String = "null") -> String {
    #"{"error":{"message":"\#(message)","type":"\#(type)","code":\#(code)}}"#
  }

  @Test func isNothingForACompletion() throws {
    #expect(try problem(200, #"{"choices":[]}"#) == nil)
  }

  @Test func tellsABadKey() throws {
    try check(401, error("Wrong."), "the upstream refuses the key (401): Wrong.")
    try check(401, "", "the upstream refuses the key (401)")
    try check(401, "<html></html>", "the upstream refuses the key (401)")
    try check(
      400, error("API key not valid.", code: #""invalid_api_key""#),
      "the upstream refuses the key (400): API key not valid.")
    try check(
      403, error("Gone.", code: #""account_deactivated""#),
      "the upstream refuses the key (403): Gone.")
    try check(
      403, error("Country not supported."),
      "the upstream refuses the key, or its use for this or from here (403): Country not supported."
    )
  }

  @Test func tellsAnEmptyAccount() throws {
    try check(
      402, error("Insufficient Balance"),
      "the upstream account has no balance (402): Insufficient Balance")
    try check(
      429, error("Pay.", type: "insufficient_quota"),
      "the upstream account has no balance (429): Pay."
    )
    try check(
      429, error("Pay.", type: "exceeded_current_quota_error"),
      "the upstream account has no balance (429): Pay.")
    try check(
      403, error("Pay.", code: #""billing_not_active""#),
      "the upstream account has no balance (403): Pay.")
  }

  @Test func tellsAnUnknownModel() throws {
    try check(
      404, error("No.", code: #""model_not_found""#),
      "the upstream does not know the model vendor-model (404): No.")
    try check(
      400, error("No.", code: #""model_not_found""#),
      "the upstream does not know the model vendor-model (400): No.")
    try check(
      404, error("No.", type: "resource_not_found_error"),
      "the upstream does not know the model vendor-model (404): No.")
    try check(
      404, #"{"detail":"Not Found"}"#,
      "the upstream does not know the model vendor-model, or base_url is wrong (404): Not Found")
  }

  @Test func tellsAWrongAddress() throws {
    let page = "\n <!doctype html><title>Hello</title>"
    try check(
      404, page, "there is no such API at this address: base_url is wrong (404)")
    try check(404, "", "there is no such API at this address: base_url is wrong (404)")
    try check(
      200, page,
      "the upstream answered with a web page in place of a chat completion: base_url is wrong")
    try check(
      200, "", "the upstream answered, but not with a chat completion: is base_url right?")
    try check(
      200, #"{"object":"list"}"#,
      "the upstream answered, but not with a chat completion: is base_url right?")
    try check(
      302, "", "the upstream redirects to another address: base_url is wrong (302)")
    try check(
      405, page,
      "the upstream refuses the request, and not as an API would: is base_url right? (405)")
  }

  @Test func tellsALimitAndFailures() throws {
    try check(
      429, error("Slow down."),
      "the upstream's rate limit is reached: try again later (429): Slow down.")
    try check(400, error("Bad."), "the upstream refuses the request (400): Bad.")
    try check(500, error("Oops."), "the upstream fails (500): Oops.")
    try check(502, "<html></html>", "the upstream fails (502)")
    try check(504, "", "the upstream did not answer in time (504)")
    try check(
      200, error("Busy."), "the upstream answered with an error: Busy.")
    #expect(try problem(nil, "") == "no connection")
  }

  /// Only an upstream that is out of order for every request is an outage.
  @Test(
    arguments: [
      (nil, true), (500, true), (502, true), (503, true), (504, true), (529, true), (599, true),
      (200, false), (302, false), (400, false), (401, false), (402, false), (403, false),
      (404, false), (405, false), (408, false), (429, false), (501, false),
    ] as [(Int?, Bool)])
  func tellsAnOutage(_ status: Int?, _ expected: Bool) {
    var outcome = UpstreamProbe.Outcome()
    outcome.status = status
    #expect(ChannelTest.isOutage(outcome) == expected)
    outcome.isTooLong = status == nil
    #expect(ChannelTest.isOutage(outcome) == (expected && status != nil))
  }

  @Test func hidesTheKey() throws {
    let text = try #require(try problem(401, error("Wrong: upstream-key-0123456789")))
    #expect(!text.contains("0123456789") && text.contains("***"))
  }

  @Test(
    arguments: [
      (200, #"{"content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn"}"#, nil),
      (200, "<html></html>", "answered with a web page in place of a chat completion"),
      (200, #"{"choices":[]}"#, "not with a chat completion: is base_url right?"),
      (200, "", "not with a chat completion: is base_url right?"),
      (
        200, #"{"type":"error","error":{"type":"api_error","message":"Out of order."}}"#,
        "the upstream answered with an error: Out of order."
      ),
      (
        400,
        #"{"error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
        "the upstream account has no balance (400): Your credit balance is too low"
      ),
      (
        404, #"{"error":{"type":"not_found_error","message":"model: x"}}"#,
        "the upstream does not know the model vendor-model (404): model: x"
      ),
      (404, "<html></html>", "base_url is wrong (404)"),
    ] as [(Int, String, String?)])
  func readsAnswersInTheVendorsFormat(_ status: Int, _ body: String, _ expected: String?) throws {
    var record = RelayFixtures.record(models: "chat")
    record.type = "anthropic"
    record.modelMapping = "chat\tvendor-model"
    record.keys = "upstream-key-0123456789"
    var outcome = UpstreamProbe.Outcome()
    outcome.status = status
    outcome.body.append(text: body)
    let problem = ChannelTest.problem(outcome, try RelayFixtures.channel(record), "chat")?.text
    #expect(problem?.contains(expected ?? "?") ?? (expected == nil), "\(problem ?? "nil")")
  }
}
