// SPDX-License-Identifier: MIT
// with: Sources/TinyGateway/Admin/LoginToken.swift
import Platform

/// One input of libFuzzer: as a JWT, and as header and payload that are rightly signed.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let text = ByteString([UInt8](UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)))
  precondition(LoginTokenFuzz.claims(text) == nil, "forged")
  LoginTokenFuzz.checkPayload(text)
  LoginTokenFuzz.checkHeader(text)
  return 0
}

enum LoginTokenFuzz {
  private static let secret: ByteString = "0123456789abcdef0123456789abcdef"
  private static let now: Int64 = 1_800_000_000
  private static let header: ByteString = #"{"alg":"HS256","typ":"JWT"}"#

  static func claims(_ text: ByteString) -> LoginToken.Claims? {
    do throws(LoginToken.Failure) {
      return try LoginToken.verify(text, at: now, secret: secret)
    } catch {
      return nil
    }
  }

  private static func signed(_ header: ByteString, _ payload: ByteString) -> ByteString {
    let text = Digest.base64URL(header) + "." + Digest.base64URL(payload)
    return text + "." + Digest.base64URL(Digest.hmacSHA256(key: secret, text).bytes)
  }

  /// Whatever is in a payload of ours, a token that is accepted keeps the rules.
  static func checkPayload(_ payload: ByteString) {
    guard let claims = claims(signed(header, payload)) else { return }
    precondition(claims.expiresAt - claims.issuedAt <= LoginToken.lifetimeSeconds, "too long")
    precondition(claims.expiresAt + LoginToken.leewaySeconds > now, "expired")
    precondition(claims.issuedAt - LoginToken.leewaySeconds <= now, "from the future")
    precondition(claims.jti.count == 16, "cannot be ended")
  }

  /// No header but ours chooses anything.
  static func checkHeader(_ text: ByteString) {
    let payload: ByteString =
      #"{"sub":"1","iat":1800000000,"nbf":1800000000,"exp":1800000100,"jti":"00112233445566778899aabbccddeeff","epoch":0}"#
    precondition(claims(signed(header, payload)) != nil, "ours is refused")
    precondition(text == header || claims(signed(text, payload)) == nil, "another header")
  }
}
