// SPDX-License-Identifier: MIT
import Platform
import Testing

struct DigestTextTests {
  @Test func spellsHexadecimal() {
    #expect(Digest.hex(ByteString([0x00, 0x0f, 0xa5, 0xff])) == "000fa5ff")
    #expect(Digest.unhex("000FA5ff") == ByteString([0x00, 0x0f, 0xa5, 0xff]))
    #expect(Digest.unhex("") == ByteString(""))
  }
  @Test func refusesWhatIsNotHexadecimal() {
    for text: ByteString in ["0", "0g", "g0", " 0", "0x", "00 ", "-1"] {
      #expect(Digest.unhex(text) == nil)
    }
  }

  // RFC 4648 §10.
  @Test func spellsBase64() {
    check("", "", "")
    check("f", "Zg==", "Zg")
    check("fo", "Zm8=", "Zm8")
    check("foo", "Zm9v", "Zm9v")
    check("foob", "Zm9vYg==", "Zm9vYg")
    check("fooba", "Zm9vYmE=", "Zm9vYmE")
    check("foobar", "Zm9vYmFy", "Zm9vYmFy")
  }
  @Test func usesTheLastCharactersOfEachAlphabet() {
    check(ByteString([0xfb, 0xff, 0xfe]), "+//+", "-__-")
  }
  @Test func carriesEveryByteAndLength() {
    for count in 0...256 {
      let bytes = ByteString((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count) })
      #expect(Digest.unbase64(Digest.base64(bytes)) == bytes)
      #expect(Digest.unbase64URL(Digest.base64URL(bytes)) == bytes)
      #expect(Digest.unhex(Digest.hex(bytes)) == bytes)
    }
  }
  @Test func refusesBase64ThatIsNotExact() {
    for text: ByteString in [
      "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zh==", "Zm9=", "Zm9v\n", "Zm 9v", "Zm9-",
      "Zg==Zg==",
      "Z=g=",
    ] {
      #expect(Digest.unbase64(text) == nil)
    }
  }
  @Test func refusesBase64URLThatIsNotExact() {
    for text: ByteString in ["Z", "Zg==", "Zh", "Zm9", "Zm9+", "Zm9/", "Zm9v=", "Zm9vZ", "Zm 9"] {
      #expect(Digest.unbase64URL(text) == nil)
    }
  }

  private func check(_ bytes: ByteString, _ standard: ByteString, _ url: ByteString) {
    #expect(Digest.base64(bytes) == standard)
    #expect(Digest.base64URL(bytes) == url)
    #expect(Digest.unbase64(standard) == bytes)
    #expect(Digest.unbase64URL(url) == bytes)
  }
}
