// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct KeyedHashTests {
  /// The key of the reference code's vectors: bytes 0 to 15.
  private static let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)

  private func bytes(_ hash: KeyedHash) -> [UInt8] {
    [hash.low, hash.high].flatMap { word in (0..<8).map { UInt8(word >> UInt64(8 * $0) & 0xff) } }
  }

  /// `vectors_sip128` of the authors' reference code: the message of n bytes is 0, 1, … n - 1.
  @Test(arguments: [
    (0, "a3817f04ba25a8e66df67214c7550293"),
    (1, "da87c1d86b99af44347659119b22fc45"),
    (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
    (8, "3b62a9ba6258f5610f83e264f31497b4"),
    (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
  ])
  func referenceVectors(count: Int, expected: String) {
    let message = (0..<count).map { UInt8($0) }
    let hash = message.withUnsafeBytes { KeyedHash($0, KeyedHashTests.key) }
    let digits = bytes(hash).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(digits == expected)
  }

  @Test func equalBytesHaveEqualHashesAndOthersDoNot() {
    let texts = (0..<200).map { ByteString(utf8: String(repeating: "k", count: $0 % 20) + "\($0)") }
    let hashes = texts.map { $0.withBytes { KeyedHash($0) } }
    for (index, text) in texts.enumerated() {
      #expect(text.withBytes { KeyedHash($0) } == hashes[index])
      #expect(hashes.filter { $0 == hashes[index] }.count == 1)
    }
  }

  @Test func tablesOfByteStringsFindWhatTheyHold() {
    let names = (0..<1000).map { ByteString(utf8: "model-\($0)") }
    let table = Dictionary(uniqueKeysWithValues: zip(names, 0..<1000))
    for (index, name) in names.enumerated() { #expect(table[name] == index) }
    #expect(table["model"] == nil)
    #expect(
      KeyedHash.ofTable(UnsafeRawBufferPointer(start: nil, count: 0), seed: 1)
        != KeyedHash.ofTable(UnsafeRawBufferPointer(start: nil, count: 0), seed: 2))
  }

  @Test func pairsOfSmallNumbersSpreadOverTables() {
    for seed in 0..<4 {
      var slots = Set<Int>()
      for first in Int64(0)..<64 {
        for second in Int64(0)..<64 {
          slots.insert(TableHash.of(first, second, seed: seed) & 0xffff)
        }
      }
      // Of 4,096 pairs in 65,536 slots about 127 meet another by chance.
      #expect(slots.count > 3_900)
    }
  }
}
