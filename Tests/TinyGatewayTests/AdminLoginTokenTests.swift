// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import TinyGateway

/// Tokens of a login: what is accepted, and every way in which one is not.
struct AdminLoginTokenTests {
  private static let secret: ByteString = "0123456789abcdef0123456789abcdef"
  private static let now: Int64 = 1_800_000_000
  private enum Verdict: Equatable {
    case valid(LoginToken.Claims)
    case refused(LoginToken.Failure)
  }

  private func check(
    _ text: ByteString, at now: Int64 = now, secret: ByteString = secret, _ expected: Verdict,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let verdict: Verdict
    do throws(LoginToken.Failure) {
      verdict = .valid(try LoginToken.verify(text, at: now, secret: secret))
    } catch {
      verdict = .refused(error)
    }
    #expect(verdict == expected, sourceLocation: location)
  }

  private let token = LoginToken.make(for: 7, epoch: 3, at: now, secret: secret).text

  /// The token's own id, as its payload spells it.
  private func jti(of token: ByteString) -> ByteString {
    let payload = Digest.unbase64URL(token.list(separatedBy: UInt8(ascii: "."))[1]) ?? ""
    let mark: ByteString = "\"jti\":\""
    let start = payload.text.range(of: mark.text)?.upperBound
    let text = start.map { ByteString(utf8: String(payload.text[$0...].prefix(32))) } ?? ""
    return Digest.unhex(text) ?? ""
  }

  private var valid: Verdict {
    .valid(
      LoginToken.Claims(
        userID: 7, jti: jti(of: token), epoch: 3, issuedAt: Self.now,
        expiresAt: Self.now + 24 * 3600))
  }

  /// A token with a header and payload of one's own, correctly signed.
  private func signed(_ header: ByteString, _ payload: ByteString) -> ByteString {
    let text = Digest.base64URL(header) + "." + Digest.base64URL(payload)
    let signature = Digest.hmacSHA256(key: Self.secret, text).bytes
    return text + "." + Digest.base64URL(signature)
  }

  private func payload(_ text: StaticString) -> ByteString {
    signed(#"{"alg":"HS256","typ":"JWT"}"#, ByteString(text))
  }

  @Test func acceptsItsOwn() { check(token, valid) }

  @Test func tellsTheAccountAndItsEpoch() {
    check(token, at: Self.now + 3600, valid)
  }

  @Test func endsAfterADayAndTheLeeway() {
    check(token, at: Self.now + 24 * 3600 + 59, valid)
    check(token, at: Self.now + 24 * 3600 + 60, .refused(.expired))
  }

  @Test func toleratesAClockThatIsAMinuteBehind() {
    check(token, at: Self.now - 60, valid)
    check(token, at: Self.now - 61, .refused(.early))
  }

  @Test func refusesEveryChangedByte() {
    let original = token
    for index in 0..<original.count {
      var bytes = original.bytes
      bytes[index] = bytes[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      check(ByteString(bytes), .refused(.invalid))
    }
  }

  @Test func refusesEveryPrefixAndAnAddition() {
    let original = token
    for count in 0..<original.count {
      check(ByteString(Array(original.bytes.prefix(count))), .refused(.invalid))
    }
    check(original + "A", .refused(.invalid))
    check(original + ".", .refused(.invalid))
  }

  @Test func refusesAnotherSecretAndNone() {
    check(token, secret: "another secret of the same length", .refused(.invalid))
    check(token, secret: "", .refused(.invalid))
  }

  @Test func refusesAlgorithmNone() {
    let claims: ByteString =
      #"{"sub":"7","iat":1800000000,"nbf":1800000000,"exp":1800000100,"epoch":3}"#
    let header = Digest.base64URL(#"{"alg":"none","typ":"JWT"}"# as ByteString)
    check(header + "." + Digest.base64URL(claims) + ".", .refused(.invalid))
    check(signed(#"{"alg":"none","typ":"JWT"}"#, claims), .refused(.invalid))
    check(signed(#"{"alg":"HS512","typ":"JWT"}"#, claims), .refused(.invalid))
    check(signed(#"{"typ":"JWT","alg":"HS256"}"#, claims), .refused(.invalid))
  }

  @Test func refusesClaimsThatAreMissingOrWrong() {
    check(payload("{}"), .refused(.invalid))
    check(payload("[]"), .refused(.invalid))
    check(payload("nonsense"), .refused(.invalid))
    check(
      payload(#"{"sub":"7","iat":1800000000,"nbf":1800000000,"exp":1800000100}"#),
      .refused(.invalid))
    check(
      payload(#"{"sub":7,"iat":1800000000,"nbf":1800000000,"exp":1800000100,"epoch":3}"#),
      .refused(.invalid))
    check(
      payload(
        #"{"sub":"7","sub":"1","iat":1800000000,"nbf":1800000000,"exp":1800000100,"epoch":3}"#),
      .refused(.invalid))
  }

  /// Claims that are right but for what is given here.
  private func claims(
    sub: String = "\"7\"", iat: String = "1800000000", nbf: String = "1800000000",
    exp: String = "1800086400", jti: String = "\"00112233445566778899aabbccddeeff\"",
    epoch: String = "3", more: String = ""
  ) -> ByteString {
    signed(
      #"{"alg":"HS256","typ":"JWT"}"#,
      ByteString(
        utf8: "{\"sub\":\(sub),\"iat\":\(iat),\"nbf\":\(nbf),\"exp\":\(exp),"
          + "\"jti\":\(jti),\"epoch\":\(epoch)\(more)}"))
  }

  @Test func acceptsClaimsOfADayAndIgnoresARole() {
    let id = Digest.unhex("00112233445566778899aabbccddeeff") ?? ""
    let expected = Verdict.valid(
      LoginToken.Claims(
        userID: 7, jti: id, epoch: 3, issuedAt: Self.now, expiresAt: Self.now + 24 * 3600))
    check(claims(), expected)
    check(claims(more: ",\"role\":\"root\""), expected)
  }

  @Test func refusesALifetimeAboveADay() {
    check(claims(exp: "1800086401"), .refused(.invalid))
    check(claims(iat: "0", nbf: "0", exp: "9223372036854775807"), .refused(.invalid))
    check(claims(exp: "1799999999"), .refused(.invalid))
  }

  @Test func refusesATokenThatCouldNotBeEnded() {
    for jti in ["\"\"", "null", "7", "\"0011\"", "\"zz112233445566778899aabbccddeeff\""] {
      check(claims(jti: jti), .refused(.invalid))
    }
  }

  @Test func refusesABeginningThatIsNotItsIssue() {
    check(claims(nbf: "1799999999"), .refused(.invalid))
    check(claims(nbf: "1800000001"), .refused(.invalid))
    check(claims(iat: "-1", nbf: "-1", exp: "5"), .refused(.invalid))
  }
}
