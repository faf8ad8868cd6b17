// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Stored passwords: form, salt, comparison, and texts that are broken.
struct AdminPasswordTests {
  @Test func acceptsTheRightPasswordOnly() {
    let stored = Password.hash("correct horse", rounds: 10)
    #expect(Password.verify("correct horse", against: stored))
    #expect(!Password.verify("correct horsf", against: stored))
    #expect(!Password.verify("", against: stored))
    #expect(!Password.verify("correct horse ", against: stored))
  }

  @Test func keepsParametersWithTheHash() {
    let stored = Password.hash("x", rounds: 12)
    let parts = stored.list(separatedBy: UInt8(ascii: "$"))
    #expect(parts.count == 4)
    #expect(parts[0] == "pbkdf2-sha256")
    #expect(parts[1] == "12")
    #expect(Digest.unbase64(parts[2])?.count == 16)
    #expect(Digest.unbase64(parts[3])?.count == 32)
  }

  @Test func saltsEachHash() {
    #expect(Password.hash("same", rounds: 1) != Password.hash("same", rounds: 1))
  }

  /// A vector of `hashlib.pbkdf2_hmac("sha256", b"password", b"saltsaltsaltsalt", 4096)`.
  @Test func agreesWithAnotherImplementation() {
    let stored: ByteString =
      "pbkdf2-sha256$4096$c2FsdHNhbHRzYWx0c2FsdA==$" as ByteString
      + "FuNbErQfRlymTQaVeNdQBZd1zK1d861T1rIErLEi0e4="
    #expect(Password.verify("password", against: stored))
  }

  @Test func refusesBrokenTexts() {
    for text in [
      "", "$", "$$$", "pbkdf2-sha256$1$c2FsdA==", "pbkdf2-sha256$0$c2FsdA==$AAAA",
      "pbkdf2-sha1$1$c2FsdA==$AAAA", "pbkdf2-sha256$99999999999$c2FsdA==$AAAA",
      "pbkdf2-sha256$1$c2FsdA==$AAAA", "pbkdf2-sha256$-1$c2FsdA==$AAAA",
    ] as [ByteString] {
      #expect(!Password.verify("x", against: text))
    }
  }

  @Test func spendsTheSameOnAnAccountThatDoesNotExist() {
    let stored = Password.hash("right", rounds: 3)
    #expect(Password.verify("right", against: stored, spending: 5))
    #expect(Password.verify("right", against: stored, spending: 1))
    #expect(!Password.verify("wrong", against: stored, spending: 5))
    #expect(!Password.verify("right", against: nil, spending: 5))
    #expect(!Password.verify("right", against: "broken", spending: 5))
  }
}
