// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct MACAddressTests {
  @Test func acceptsBothSeparatorsAndAnyCase() {
    let texts: [ByteString] = [
      "00:1b:21:3c:9d:f8", "00-1b-21-3c-9d-f8", "00:1B:21:3C:9D:F8", "00-1B-21-3c-9D-f8",
    ]
    for text in texts {
      #expect(MACAddress(text)?.text == "00:1b:21:3c:9d:f8" as ByteString, "\(text.text)")
      #expect(MACAddress(text) == MACAddress(texts[0]), "\(text.text)")
    }
    #expect(MACAddress("00:00:00:00:00:01")?.text == "00:00:00:00:00:01" as ByteString)
    #expect(MACAddress("fe:ff:ff:ff:ff:ff")?.text == "fe:ff:ff:ff:ff:ff" as ByteString)
  }

  @Test func refusesWhatIsNotTheAddressOfACard() {
    let texts: [ByteString] = [
      "", "00", "001b213c9df8", "001b.213c.9df8", "00:1b:21:3c:9d", "00:1b:21:3c:9d:f8:01",
      "00:1b:21:3c:9d:f", "0:01b:21:3c:9d:f8", "00:1b-21:3c:9d:f8", "00-1b-21-3c-9d:f8",
      "00 1b 21 3c 9d f8", "00:1b:21:3c:9d:g8", "00:1b:21:3c:9d:f8 ", " 0:1b:21:3c:9d:f8",
      "+0:1b:21:3c:9d:f8", "::::::::::::::::::",
      // No card has these: nothing, everybody, groups of cards.
      "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:00:00:00:01",
    ]
    for text in texts { #expect(MACAddress(text) == nil, "\(text.text)") }
  }

  @Test func makesTheMagicPacketByteByByte() throws {
    let mac: MACAddress = try #require(MACAddress("00:1B:21:3c:9d:f8"))
    let card: [UInt8] = [0x00, 0x1B, 0x21, 0x3C, 0x9D, 0xF8]
    var expected: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
    for _ in 1...16 { expected += card }
    #expect(mac.magicPacket.count == 102)
    #expect(mac.magicPacket == expected)
  }
}
