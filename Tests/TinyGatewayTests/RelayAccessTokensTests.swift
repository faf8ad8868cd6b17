// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Testing
import Vendors

@testable import TinyGateway

/// Exchanges of keys for tokens over loopback: who is told what, and how often the vendor is asked.
@Suite(.serialized)
struct RelayAccessTokensTests {
  private let fixture: WakeFixture
  private let channel: Channel

  init() throws {
    fixture = try WakeFixture()
    var record = RelayFixtures.record(1)
    record.baseURL = "https://vendor.example/v1"
    try fixture.gateway.channels.put(record)
    channel = try #require(fixture.gateway.channels.find(1))
  }

  private var tokens: AccessTokens { fixture.gateway.accessTokens }

  private func exchange(body: ByteString = "a=b") -> TokenExchange {
    let url = ByteString(utf8: "http://127.0.0.1:\(fixture.port)/token?client_secret=")
    return TokenExchange(
      contentType: "application/x-www-form-urlencoded",
      url: { (facts) throws(ChatProblem) in
        if facts.key == "malformed" { throw ChatProblem("The key must be A|B.") }
        return url + facts.key
      },
      body: { (_) throws(ChatProblem) in body },
      read: { answer in
        guard let token = answer.member("access_token")?.string else { return nil }
        return (token, answer.member("expires_in")?.int64 ?? 60)
      })
  }

  private final class Told {
    var words: [String] = []
    var failures: [AttemptFailure] = []
  }

  @discardableResult
  private func ask(
    _ told: Told, key: ByteString = "k", channel: Channel? = nil,
    config: [ByteString: ByteString] = [:]
  ) -> AccessTokens.Waiter {
    tokens.token(for: channel ?? self.channel, key: key, exchange(), config: config) { result in
      switch result {
      case .token(let token): told.words.append(token.text)
      case .failed(let failure):
        told.words.append("failed")
        told.failures.append(failure)
      }
    }
  }

  /// One exchange, and how it fails.
  private func failure(_ status: Int, _ body: String) throws -> AttemptFailure {
    try fixture.boot()
    fixture.answer = (status, body)
    let told = Told()
    ask(told)
    fixture.turn { !told.words.isEmpty }
    return try #require(told.failures.first)
  }

  @Test func sharesOneExchangeAndKeepsItsToken() throws {
    try fixture.boot()
    fixture.answer = (200, #"{"access_token":"t1","expires_in":3600}"#)
    let told = Told()
    for _ in 1...3 { #expect(ask(told).isPending) }
    fixture.turn { told.words.count == 3 }
    #expect(!ask(told).isPending)
    #expect(told.words == ["t1", "t1", "t1", "t1"])
    #expect(fixture.paths == ["/token"])
    ask(told, key: "other")
    fixture.turn { told.words.count == 5 }
    #expect(fixture.paths == ["/token", "/token"])
    #expect(tokens.count == 2)
  }

  @Test func usesAnotherAddressWhereTheChannelHasOne() throws {
    try fixture.boot()
    fixture.answer = (200, #"{"access_token":"t1"}"#)
    let told = Told()
    let own = ByteString(utf8: "http://127.0.0.1:\(fixture.port)/own")
    ask(told, config: ["token_url": own])
    fixture.turn { told.words == ["t1"] }
    #expect(fixture.paths == ["/own"])
  }

  @Test func tellsNobodyWhoWentAway() throws {
    try fixture.boot()
    fixture.answer = (200, #"{"access_token":"t1","expires_in":3600}"#)
    let (gone, told) = (Told(), Told())
    ask(gone).cancel()
    ask(told)
    fixture.turn { told.words == ["t1"] }
    #expect(gone.words.isEmpty)
    #expect(fixture.paths.count == 1)
  }

  @Test func fetchesAnotherOneInThePlaceOfAStaleOne() throws {
    try fixture.boot()
    fixture.answer = (200, #"{"access_token":"t1","expires_in":3600}"#)
    let told = Told()
    ask(told)
    fixture.turn { told.words == ["t1"] }
    fixture.answer = (200, #"{"access_token":"t2","expires_in":3600}"#)
    tokens.drop("older", of: channel, key: "k")
    ask(told)
    #expect(told.words == ["t1", "t1"])
    tokens.drop("t1", of: channel, key: "k")
    ask(told)
    fixture.turn { told.words == ["t1", "t1", "t2"] }
  }

  @Test func forgetsWhatBelongsToAChangedChannel() throws {
    try fixture.boot()
    fixture.answer = (200, #"{"access_token":"t1","expires_in":3600}"#)
    let told = Told()
    ask(told)
    fixture.turn { told.words == ["t1"] }
    try fixture.gateway.channels.put(channel.record)
    #expect(tokens.count == 0)
    // A request under way has the old one: it is served, and nothing is kept.
    ask(told)
    fixture.turn { told.words == ["t1", "t1"] }
    #expect(tokens.count == 0)
    ask(told, channel: try #require(fixture.gateway.channels.find(1)))
    fixture.turn { told.words.count == 3 }
    #expect(tokens.count == 1)
    fixture.gateway.channels.remove(1)
    #expect(tokens.count == 0)
  }

  @Test func boundsWhatIsKept() throws {
    try fixture.boot()
    fixture.answer = (200, #"{"access_token":"t1","expires_in":3600}"#)
    let told = Told()
    for number in 1...(AccessTokens.entryLimit + 3) {
      ask(told, key: ByteString(number: Int64(number)))
      fixture.turn { told.words.count == number }
    }
    #expect(tokens.count == AccessTokens.entryLimit)
    let before = fixture.paths.count
    ask(told, key: ByteString(number: Int64(AccessTokens.entryLimit)))
    #expect(fixture.paths.count == before)
  }

  @Test(arguments: [400, 401, 403, 200])
  func aRefusalIsTheKeysFault(status: Int) throws {
    let failure = try failure(status, #"{"error":"invalid_client"}"#)
    #expect(failure.kind == .refusedKey)
    #expect(failure.isFaultOfKey)
    #expect(failure.error.status == 502)
    #expect(failure.error.code == "upstream_auth_failed")
    let reason = ByteString(
      utf8: "the vendor gives no access token for the key (\(status) invalid_client)")
    #expect(failure.outcome == .keyRejected(reason: reason))
  }

  @Test func neverRepeatsWhatCouldBeTheKey() throws {
    let failure = try failure(400, #"{"error":"sk-1234567890"}"#)
    #expect(failure.text == "the vendor gives no access token for the key (400)")
  }

  @Test(arguments: [
    (500, "{}", ErrorKind.upstreamServer), (503, "", .upstreamServer),
    (429, "{}", .rateLimited), (404, "{}", .badAnswer), (200, "{}", .badAnswer),
    (200, #"{"access_token":"a b"}"#, .badAnswer), (302, "", .badAnswer),
  ])
  func otherAnswersAreTheChannelsFailure(
    status: Int, body: String, kind: ErrorKind
  ) throws {
    let failure = try failure(status, body)
    #expect(failure.kind == kind)
    #expect(!failure.isFaultOfKey)
    #expect(failure.error.status == (status == 429 ? 429 : status == 503 ? 503 : 502))
  }

  @Test func aMachineThatIsGoneIsTheChannelsFailureAndIsNotAskedAgainAtOnce() throws {
    let told = Told()
    ask(told)
    fixture.turn { told.words == ["failed"] }
    let failure = try #require(told.failures.first)
    #expect(failure.outcome == .channelFailed(isUnreachable: true))
    #expect(failure.kind == .connect)
    #expect(!ask(told).isPending)
    #expect(told.words == ["failed", "failed"])
  }

  @Test func aMalformedKeyIsRefusedWithoutACall() throws {
    let told = Told()
    ask(told, key: "malformed")
    fixture.turn { !told.failures.isEmpty }
    #expect(told.failures.first?.outcome == .keyRejected(reason: "The key must be A|B."))
    #expect(fixture.paths.isEmpty)
  }
}
