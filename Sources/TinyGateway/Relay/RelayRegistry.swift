// SPDX-License-Identifier: MIT
import Platform

/// The relays under way: how many, how much of their bodies is held, which take too long.
final class RelayRegistry {
  /// How often deadlines of whole requests are looked at, in milliseconds.
  private static let checkMilliseconds: Int64 = 1000

  private let limit: Int
  private var relays: [Relay] = []
  /// Parsers of finished relays, for the next ones: making one costs a dozen allocations.
  private var spareBodies: [RequestBody] = []
  private var spareDocuments: [AnswerDocument] = []
  private static let spareCount = 64
  /// Memory in large spare buffers, and the most there may be.
  private var spareByteCount: Int64 = 0
  private let spareByteLimit: Int64

  /// Bytes of request bodies held in memory by all relays.
  var heldByteCount: Int64 = 0
  /// When deadlines are looked at next; nil while nothing is under way.
  private(set) var nextCheck: Instant?

  /// - Parameters:
  ///   - limit: relays admitted at once.
  ///   - bodiesByteCount: memory that held bodies may take in all.
  init(limit: Int, bodiesByteCount: Int64) {
    self.limit = limit
    spareByteLimit = min(1024 * 1024, bodiesByteCount / 8)
  }

  var count: Int { relays.count }
  /// Whether there are more than are admitted; a relay asks when it is counted already.
  var isOverfull: Bool { relays.count > limit }

  func takeBody() -> RequestBody {
    guard let body = spareBodies.popLast() else { return RequestBody() }
    let reserved = Int64(body.reservedByteCount)
    if reserved > Int64(RequestBody.usualByteCount) { spareByteCount -= reserved }
    return body
  }
  func takeDocument() -> AnswerDocument { spareDocuments.popLast() ?? AnswerDocument() }

  func giveBack(_ body: RequestBody) {
    guard spareBodies.count < RelayRegistry.spareCount else { return }
    // Fresh pages for every long prompt cost more than the prompt: keep some, within a bound.
    let reserved = Int64(body.reservedByteCount)
    let isLarge = reserved > Int64(RequestBody.usualByteCount)
    let keepsMemory = isLarge && spareByteCount + reserved <= spareByteLimit
    if keepsMemory { spareByteCount += reserved }
    body.reset(keepsMemory: keepsMemory)
    spareBodies.append(body)
  }

  func giveBack(_ document: AnswerDocument) {
    guard spareDocuments.count < RelayRegistry.spareCount else { return }
    document.reset()
    spareDocuments.append(document)
  }

  func add(_ relay: Relay, now: Instant) {
    relay.registryIndex = relays.count
    relays.append(relay)
    if nextCheck == nil {
      nextCheck = now.advanced(byMilliseconds: RelayRegistry.checkMilliseconds)
    }
  }

  func remove(_ relay: Relay) {
    let index = relay.registryIndex
    guard index >= 0, index < relays.count, relays[index] === relay else { return }
    let last = relays.removeLast()
    if last !== relay {
      relays[index] = last
      last.registryIndex = index
    }
    relay.registryIndex = -1
  }

  /// Ends relays that are past their deadline, and lets the others show signs of life; called once
  /// a turn.
  func endOverdue(now: Instant) {
    guard let due = nextCheck, now >= due else { return }
    for relay in relays {
      if relay.deadline <= now { relay.deadlinePassed() } else { relay.beat() }
    }
    nextCheck =
      relays.isEmpty ? nil : now.advanced(byMilliseconds: RelayRegistry.checkMilliseconds)
  }
}
