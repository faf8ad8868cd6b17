// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct PriceTableTests {
  private let full = PriceRecord(
    model: "gpt-4o*", prompt: Ratio(millionths: 1), completion: Ratio(millionths: 2),
    cached: Ratio(millionths: 3), image: Ratio(millionths: 4), audioPrompt: Ratio(millionths: 5),
    audioCompletion: Ratio(millionths: 6), createdAt: 7)
  private let plain = PriceRecord(model: "m", prompt: .one)

  @Test func givesBackWhatItTook() throws {
    let database = try TemporaryFolder().open()
    #expect(try PriceTable.all(in: database).isEmpty)
    var expected: [PriceRecord] = []
    for record in [full, plain] {
      var stored = record
      stored.id = try PriceTable.insert(record, in: database)
      expected.append(stored)
    }
    #expect(try PriceTable.all(in: database) == expected)
    #expect(try Snapshot(from: database).prices == expected)
  }

  @Test func changesAllFields() throws {
    let database = try TemporaryFolder().open()
    var changed = full
    changed.id = try PriceTable.insert(plain, in: database)
    try PriceTable.update(changed, in: database)
    #expect(try PriceTable.all(in: database) == [changed])
    changed = plain
    changed.id = 1
    try PriceTable.update(changed, in: database)
    #expect(try PriceTable.all(in: database) == [changed])
  }

  private func expect<R>(
    _ kind: StoreError.Kind, _ location: SourceLocation = #_sourceLocation, _ work: () throws -> R
  ) {
    do {
      _ = try work()
      Issue.record("no error", sourceLocation: location)
    } catch {
      #expect((error as? StoreError)?.kind == kind, sourceLocation: location)
    }
  }

  @Test func refusesASecondPriceOfAModel() throws {
    let database = try TemporaryFolder().open()
    _ = try PriceTable.insert(plain, in: database)
    expect(.duplicate) { try PriceTable.insert(plain, in: database) }
    var other = full
    other.id = try PriceTable.insert(full, in: database)
    other.model = "m"
    expect(.duplicate) { try PriceTable.update(other, in: database) }
  }

  @Test func saysWhatDoesNotExist() throws {
    let database = try TemporaryFolder().open()
    let id = try PriceTable.insert(plain, in: database)
    try PriceTable.delete(id, in: database)
    expect(.notFound) { try PriceTable.delete(id, in: database) }
    expect(.notFound) { try PriceTable.update(plain, in: database) }
  }

  @Test func putsManyInAtOnce() throws {
    let database = try TemporaryFolder().open()
    _ = try PriceTable.insert(plain, in: database)
    var dearer = plain
    dearer.prompt = Ratio(millionths: 9)
    dearer.createdAt = 99
    let merged = try PriceTable.put([full, dearer], replacing: false, in: database)
    #expect(merged.map(\.model) == ["m", "gpt-4o*"])
    #expect(merged[0].prompt.millionths == 9 && merged[0].id == 1 && merged[0].createdAt == 0)
    let replaced = try PriceTable.put([full], replacing: true, in: database)
    #expect(replaced.map(\.model) == ["gpt-4o*"])
    #expect(try PriceTable.all(in: database) == replaced)
    #expect(try PriceTable.put([], replacing: true, in: database).isEmpty)
  }
}
