// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// The JSON Web Token that a login gives (RFC 7519), signed with HS256.
///
/// The algorithm is fixed here: a token whose header is not exactly ours is refused, whatever it
/// says. Role and rights are read from memory with each request, never from the token.
enum LoginToken {
  /// How long a login lasts, in seconds.
  static let lifetimeSeconds: Int64 = 24 * 3600
  /// How far clocks may differ, in seconds.
  static let leewaySeconds: Int64 = 60
  private static let largestByteCount = 1024
  private static let idByteCount = 16
  private static let header: StaticString = #"{"alg":"HS256","typ":"JWT"}"#

  /// What a valid token says.
  struct Claims: Equatable {
    var userID: Int64
    /// The token's own id, 16 bytes, by which it is ended before its time.
    var jti: ByteString
    /// Must be the account's current one: raising it ends all sessions.
    var epoch: Int64
    /// Unix seconds.
    var issuedAt: Int64
    /// Unix seconds.
    var expiresAt: Int64
  }

  /// Why a token is not accepted.
  enum Failure: Error, Equatable {
    /// Not a token of ours: form, algorithm, signature or claims.
    case invalid
    case expired
    /// It begins in the future.
    case early
  }

  /// Makes a token for an account at a time in Unix seconds.
  static func make(
    for userID: Int64, epoch: Int64, at now: Int64, secret: ByteString
  ) -> (text: ByteString, expiresAt: Int64) {
    let expiresAt = now + lifetimeSeconds
    let payload = Buffer()
    var json = JSONWriter(payload)
    json.beginObject()
    json.member("sub", number(userID))
    json.member("iat", now)
    json.member("nbf", now)
    json.member("exp", expiresAt)
    json.member("jti", Digest.hex(Random.bytes(idByteCount)))
    json.member("epoch", epoch)
    json.endObject()
    let signed =
      Digest.base64URL(ByteString(header)) + "." + Digest.base64URL(payload.readable)
    let signature = Digest.hmacSHA256(key: secret, signed).bytes
    return (signed + "." + Digest.base64URL(signature), expiresAt)
  }

  /// Checks signature and times of a token, at a time in Unix seconds.
  static func verify(
    _ text: ByteString, at now: Int64, secret: ByteString
  ) throws(Failure) -> Claims {
    guard !secret.isEmpty, text.count <= largestByteCount,
      let (header, rest) = text.split(at: UInt8(ascii: ".")),
      let (payload, signatureText) = rest.split(at: UInt8(ascii: ".")),
      let signature = Digest.unbase64URL(signatureText),
      header == Digest.base64URL(ByteString(self.header))
    else { throw .invalid }
    let expected = Digest.hmacSHA256(key: secret, header + "." + payload).bytes
    guard Digest.constantTimeEquals(signature, expected) else { throw .invalid }
    guard let json = Digest.unbase64URL(payload), let claims = claims(json) else {
      throw .invalid
    }
    guard claims.expiresAt - claims.issuedAt <= lifetimeSeconds else { throw .invalid }
    if now >= claims.expiresAt + leewaySeconds { throw .expired }
    if now < claims.issuedAt - leewaySeconds { throw .early }
    return claims
  }

  private static func claims(_ text: ByteString) -> Claims? {
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(text, refusesDuplicates: true, requiresObject: true).root
    } catch {
      return nil
    }
    guard let user = root.member("sub")?.string?.decimal,
      let jti = root.member("jti")?.string.flatMap({ Digest.unhex($0) }),
      jti.count == idByteCount, let epoch = root.member("epoch")?.int64,
      let issued = root.member("iat")?.int64, let start = root.member("nbf")?.int64,
      let expiry = root.member("exp")?.int64, start == issued, issued >= 0, expiry >= issued,
      expiry < Int64.max - leewaySeconds
    else { return nil }
    return Claims(userID: user, jti: jti, epoch: epoch, issuedAt: issued, expiresAt: expiry)
  }

  private static func number(_ value: Int64) -> ByteString {
    let text = Buffer()
    text.append(decimal: value)
    return text.byteString
  }
}
