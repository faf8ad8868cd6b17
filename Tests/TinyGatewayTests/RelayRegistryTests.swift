// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Parsers of finished relays serve the next ones, within a bound of memory.
///
/// Adding, removing and ending relays needs a whole gateway: the end-to-end tests do that.
struct RelayRegistryTests {
  private func registry(_ bodiesByteCount: Int64 = 16 * 1024 * 1024) -> RelayRegistry {
    RelayRegistry(limit: 4, bodiesByteCount: bodiesByteCount)
  }

  private func body(_ byteCount: Int) throws -> RequestBody {
    let body = RequestBody()
    let text = "{\"model\":\"\(String(repeating: "m", count: byteCount))\"}"
    try body.append(Array(text.utf8).span)
    return body
  }

  @Test func isEmptyAtFirst() {
    let registry = registry()
    #expect(registry.count == 0)
    #expect(!registry.isOverfull)
    #expect(registry.nextCheck == nil)
    registry.endOverdue(now: Instant.now)
    #expect(registry.nextCheck == nil)
  }

  @Test func givesEveryRelayABodyOfItsOwn() {
    let registry = registry()
    let body = registry.takeBody()
    #expect(registry.takeBody() !== body)
    registry.giveBack(body)
    #expect(registry.takeBody() === body)
    #expect(registry.takeBody() !== body)
  }

  @Test func emptiesWhatIsGivenBack() throws {
    let registry = registry()
    for byteCount in [10, 100_000] {
      registry.giveBack(try body(byteCount))
      let next = registry.takeBody()
      #expect(!next.hasModel)
      #expect(next.held.isEmpty)
      #expect(next.byteCount == 0)
    }
    let document = registry.takeDocument()
    document.read(Array("{]".utf8).span)
    registry.giveBack(document)
    #expect(registry.takeDocument() === document)
    #expect(!document.isBroken)
  }

  /// Memory of all spare bodies, taken out of a registry.
  private func spareByteCount(_ registry: RelayRegistry, _ count: Int) -> Int {
    (0..<count).reduce(0) { sum, _ in sum + registry.takeBody().reservedByteCount }
  }

  @Test func boundsTheMemoryOfSpareBodies() throws {
    for (limit, bound) in [(16 * 1024 * 1024, 1024 * 1024), (1024 * 1024, 128 * 1024), (0, 0)] {
      let registry = registry(Int64(limit))
      for _ in 0..<3 {
        for _ in 0..<30 { registry.giveBack(try body(60_000)) }
        let usual = 30 * RequestBody.usualByteCount
        #expect(spareByteCount(registry, 30) <= bound + usual)
      }
    }
  }

  @Test func reusesLargeBodiesAfterTheyWereTaken() throws {
    let registry = registry()
    for _ in 0..<20 {
      registry.giveBack(try body(100_000))
      #expect(registry.takeBody().reservedByteCount >= 100_000)
    }
  }

  @Test func keepsABoundedNumber() throws {
    let registry = registry()
    let bodies = (0..<200).map { _ in RequestBody() }
    for body in bodies { registry.giveBack(body) }
    var known = 0
    for _ in 0..<200 {
      let taken = registry.takeBody()
      if bodies.contains(where: { $0 === taken }) { known += 1 }
    }
    #expect(known == 64)
  }
}
