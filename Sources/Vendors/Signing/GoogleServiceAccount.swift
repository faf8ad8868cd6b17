// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// A Google service account, which gets access tokens for a signed assertion (RFC 7523).
///
/// Source: https://developers.google.com/identity/protocols/oauth2/service-account, read 2026-11.
package struct GoogleServiceAccount {
  /// Where assertions are exchanged for tokens.
  package let tokenURI: ByteString
  /// Empty when the key names none.
  package let projectID: ByteString
  private let email: ByteString
  private let keyID: ByteString
  private let privateKey: ByteString

  /// How long an assertion is valid, in seconds.
  static let lifetimeSeconds: Int64 = 3600
  private static let scope: StaticString = "https://www.googleapis.com/auth/cloud-platform"

  /// Reads a channel's key, the JSON file of a service account.
  package init(_ text: ByteString) throws(SigningError) {
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(text, requiresObject: true).root
    } catch {
      throw SigningError(text: "the key must be the JSON file of a service account")
    }
    guard let email = root.member("client_email")?.string, !email.isEmpty,
      let privateKey = root.member("private_key")?.string, !privateKey.isEmpty
    else {
      throw SigningError(text: "the service account has no client_email or no private_key")
    }
    tokenURI = root.member("token_uri")?.string ?? "https://oauth2.googleapis.com/token"
    guard tokenURI.starts(with: "https://"), SigningKey.isVisible(tokenURI) else {
      throw SigningError(text: "the service account's token_uri is not an https address")
    }
    projectID = root.member("project_id")?.string ?? .empty
    keyID = root.member("private_key_id")?.string ?? .empty
    self.email = email
    self.privateKey = privateKey
  }

  /// The form that is sent to `tokenURI`, at a time in Unix seconds.
  ///
  /// Takes tens of milliseconds on small processors.
  package func tokenRequest(at now: Int64) throws(SigningError) -> ByteString {
    let form = Buffer()
    form.append("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
    let signed = signingInput(at: now)
    guard let signature = Digest.rs256(privateKey: privateKey, signed) else {
      throw SigningError(
        text: "the service account's private_key is not an RSA key in PEM, 2048 to 4096 bits")
    }
    form.append(signed)
    form.append(".")
    form.append(Digest.base64URL(signature))
    return form.byteString
  }

  func signingInput(at now: Int64) -> ByteString {
    let header = Buffer()
    var json = JSONWriter(header)
    json.beginObject()
    json.member("alg", "RS256")
    json.member("typ", "JWT")
    if !keyID.isEmpty { json.member("kid", keyID) }
    json.endObject()
    let claims = Buffer()
    json = JSONWriter(claims)
    json.beginObject()
    json.member("iss", email)
    json.member("sub", email)
    json.member("aud", tokenURI)
    json.member("iat", now)
    json.member("exp", now + GoogleServiceAccount.lifetimeSeconds)
    json.member("scope", GoogleServiceAccount.scope)
    json.endObject()
    return Digest.base64URL(header.readable) + "." + Digest.base64URL(claims.readable)
  }
}
