// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Whose account on Google Cloud is used, and how its tokens are had.
enum VertexAccount {
  /// A channel's key is the JSON file of a service account.
  static let exchange = TokenExchange(
    contentType: "application/x-www-form-urlencoded",
    url: { (facts) throws(ChatProblem) in try account(facts).tokenURI },
    body: { (facts) throws(ChatProblem) in
      let account = try account(facts)
      do throws(SigningError) {
        return try account.tokenRequest(at: facts.now)
      } catch {
        throw ChatProblem(ByteString(error.text))
      }
    },
    read: { answer in
      guard let token = answer.member("access_token")?.string else { return nil }
      return (token, answer.member("expires_in")?.int64 ?? 3600)
    })

  private static func account(_ facts: CallFacts) throws(ChatProblem) -> GoogleServiceAccount {
    do throws(SigningError) {
      return try GoogleServiceAccount(facts.key)
    } catch {
      throw ChatProblem(ByteString(error.text))
    }
  }

  /// The project that is charged: the channel's, or that of the key.
  static func project(_ facts: CallFacts) throws(ChatProblem) -> ByteString {
    if let named = facts.config["project"], !named.isEmpty { return named }
    let own = try account(facts).projectID
    guard !own.isEmpty, own.bytes.allSatisfy({ isPlain($0) }) else {
      throw ChatProblem("The service account names no project: set the channel's project.")
    }
    return own
  }

  static func location(_ facts: CallFacts) -> ByteString { facts.config["location"] ?? "global" }

  private static func isPlain(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
  }
}
