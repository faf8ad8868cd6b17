// SPDX-License-Identifier: MIT
import Platform

/// Passwords as they are stored: `pbkdf2-sha256$rounds$salt$hash`, salt and hash in base64.
///
/// Parameters travel with each hash, so that the rounds may change at any time. Deriving takes
/// a quarter of a second and more by intent: never on the loop's thread.
enum Password {
  /// Allowed length of a new password in bytes.
  static let byteCounts = 8...128
  /// The first password of the account `root`: public knowledge, good only for choosing another.
  static let first: ByteString = "123456"

  private static let scheme: StaticString = "pbkdf2-sha256"
  private static let saltByteCount = 16
  /// A stored text asks for at most so many rounds.
  private static let largestRounds: Int64 = 10_000_000

  /// What a stored text says.
  private struct Stored {
    let rounds: Int
    let salt: ByteString
    let hash: ByteString

    init?(_ text: ByteString) {
      let parts = text.bytes.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        .map { ByteString(Array($0)) }
      guard parts.count == 4, parts[0] == Password.scheme,
        let rounds = parts[1].decimal, rounds >= 1, rounds <= Password.largestRounds,
        let salt = Digest.unbase64(parts[2]), let hash = Digest.unbase64(parts[3]),
        hash.count == SHA256Digest.byteCount
      else { return nil }
      self.rounds = Int(rounds)
      self.salt = salt
      self.hash = hash
    }
  }

  /// Whether a stored text asks for far more or fewer rounds than this device spends: it was made
  /// on another one, or under another setting.
  static func isForeign(_ stored: ByteString, to rounds: Int) -> Bool {
    let own = Int64(Password.rounds(of: stored))
    return own > Int64(rounds) * 3 / 2 || own < Int64(rounds) * 2 / 3
  }

  /// The rounds that a stored text asks for, read without copying; 0 for a broken text.
  static func rounds(of stored: ByteString) -> Int {
    let start = scheme.utf8CodeUnitCount + 1
    guard stored.starts(with: scheme), stored.count > start else { return 0 }
    let bytes = stored.bytes
    let rest = bytes.span.extracting(start..<bytes.count)
    guard let end = rest.firstIndex(of: UInt8(ascii: "$")),
      let rounds = rest.extracting(0..<end).decimal, rounds <= largestRounds
    else { return 0 }
    return Int(rounds)
  }

  /// The text to store for a password, with a fresh salt.
  static func hash(_ password: ByteString, rounds: Int) -> ByteString {
    let salt = Random.bytes(saltByteCount)
    let hash = Digest.pbkdf2(password: password, salt: salt, rounds: max(1, rounds))
    let text = Buffer()
    text.append(scheme)
    text.append(UInt8(ascii: "$"))
    text.append(decimal: max(1, rounds))
    text.append(UInt8(ascii: "$"))
    text.append(Digest.base64(salt))
    text.append(UInt8(ascii: "$"))
    text.append(Digest.base64(hash))
    return text.byteString
  }

  /// Whether the password is the one whose stored text is given; false for a broken text.
  static func verify(_ password: ByteString, against stored: ByteString) -> Bool {
    guard let stored = Stored(stored) else { return false }
    let hash = Digest.pbkdf2(password: password, salt: stored.salt, rounds: stored.rounds)
    return Digest.constantTimeEquals(hash, stored.hash)
  }

  /// As `verify`, in a time that does not tell whether the account exists or how it is stored.
  ///
  /// `stored`: nil for an account that does not exist.
  /// `rounds`: what is spent at least, whatever the stored text asks for.
  static func verify(
    _ password: ByteString, against stored: ByteString?, spending rounds: Int
  ) -> Bool {
    let ownRounds = stored.flatMap { Stored($0) }?.rounds ?? 0
    let isRight = stored.map { verify(password, against: $0) } ?? false
    if ownRounds < rounds {
      _ = Digest.pbkdf2(
        password: password, salt: "no such account!", rounds: rounds - ownRounds)
    }
    return isRight
  }
}
