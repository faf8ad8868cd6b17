// SPDX-License-Identifier: MIT
import Platform
import Testing

struct DigestTests {
  // FIPS 180-4 examples and the lengths around a block's end.
  @Test func hashesNothing() {
    check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }
  @Test func hashesOneBlock() {
    check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
  @Test func hashesTwoBlocks() {
    check(
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }
  @Test func hashesAMillionBytes() {
    #expect(
      Digest.sha256(repeated(0x61, 1_000_000)).hex
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  // RFC 4231, test cases 1, 2, 3, 6 and 7.
  @Test func authenticatesWithAShortKey() {
    checkHMAC(
      repeated(0x0b, 20), "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    checkHMAC(
      "Jefe", "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  }
  @Test func authenticatesBinaryText() {
    checkHMAC(
      repeated(0xaa, 20), repeated(0xdd, 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe")
  }
  @Test func hashesAKeyLongerThanABlock() {
    checkHMAC(
      repeated(0xaa, 131), "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  }
  @Test func authenticatesWithAnEmptyKey() {
    checkHMAC("", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }

  // RFC 7914 §11.
  @Test func derivesFromAPassword() {
    checkPBKDF2(
      "passwd", "salt", 1, 64,
      "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        + "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783")
    checkPBKDF2(
      "Password", "NaCl", 80_000, 64,
      "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
        + "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d")
  }
  @Test func derivesAPartOfABlock() {
    checkPBKDF2("passwd", "salt", 1, 5, "55ac046e56")
    checkPBKDF2("passwd", "salt", 1, 0, "")
  }

  @Test func comparesInConstantTime() {
    #expect(Digest.constantTimeEquals("", ""))
    #expect(Digest.constantTimeEquals("secret", "secret"))
    #expect(!Digest.constantTimeEquals("secret", "secreT"))
    #expect(!Digest.constantTimeEquals("secret", "secre"))
    #expect(!Digest.constantTimeEquals("", "s"))
  }

  @Test func keepsADigestAsItsBytes() {
    let digest = Digest.sha256("abc")
    let copy = digest.withBytes { SHA256Digest($0) }
    #expect(copy == digest)
    #expect(Set([digest, Digest.sha256("abc"), Digest.sha256("abd")]).count == 2)
    #expect(ByteString("short").withBytes { SHA256Digest($0) } == nil)
  }

  @Test func opensWhatItSealed() {
    let key = repeated(7, 32)
    for plain in [ByteString(""), "sk-secret", repeated(1, 1000)] {
      let sealed = SealedBytes.seal(plain, key: key, label: "channel 1")
      #expect(sealed?.count == plain.count + SealedBytes.overheadByteCount)
      #expect(sealed.flatMap { SealedBytes.open($0, key: key, label: "channel 1") } == plain)
      #expect(sealed.flatMap { SealedBytes.open($0, key: key, label: "channel 2") } == nil)
      #expect(
        sealed.flatMap { SealedBytes.open($0, key: repeated(8, 32), label: "channel 1") } == nil)
    }
  }
  @Test func refusesEveryAlterationOfSealedBytes() {
    let key = repeated(7, 32)
    let sealed = (SealedBytes.seal("sk-secret", key: key, label: "") ?? .empty).bytes
    for index in sealed.indices {
      var altered = sealed
      altered[index] ^= 1
      #expect(SealedBytes.open(ByteString(altered), key: key, label: "") == nil)
      #expect(SealedBytes.open(ByteString(Array(sealed[..<index])), key: key, label: "") == nil)
    }
  }
  @Test func sealsTheSameDifferently() {
    let key = repeated(7, 32)
    #expect(
      SealedBytes.seal("x", key: key, label: "") != SealedBytes.seal("x", key: key, label: ""))
  }
  @Test func refusesAKeyOfAnotherLength() {
    #expect(SealedBytes.seal("x", key: repeated(7, 31), label: "") == nil)
    #expect(SealedBytes.open(repeated(0, 40), key: "", label: "") == nil)
  }

  private func check(_ message: ByteString, _ expected: ByteString) {
    #expect(Digest.sha256(message).hex == expected)
  }

  private func checkHMAC(_ key: ByteString, _ message: ByteString, _ expected: ByteString) {
    #expect(Digest.hmacSHA256(key: key, message).hex == expected)
  }

  private func checkPBKDF2(
    _ password: ByteString, _ salt: ByteString, _ rounds: Int, _ count: Int, _ expected: String
  ) {
    let derived = Digest.pbkdf2(password: password, salt: salt, rounds: rounds, byteCount: count)
    #expect(Digest.hex(derived).text == expected)
  }

  private func repeated(_ byte: UInt8, _ count: Int) -> ByteString {
    ByteString([UInt8](repeating: byte, count: count))
  }
}
