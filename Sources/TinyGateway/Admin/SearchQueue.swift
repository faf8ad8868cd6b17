// SPDX-License-Identifier: MIT
import Platform

/// Searches through log and usage: few at once, and one of each account, because each keeps the
/// storage thread busy for a while, on which flushes and changes of settings wait.
final class SearchQueue {
  /// Searches under way.
  static let largestRunningCount = 4
  /// Searches of one account that wait, and of all; each holds one request in memory.
  static let largestOwnWaitingCount = 8
  static let largestWaitingCount = 32

  /// Accounts whose searches are under way.
  private var running: [Int64] = []
  private var waiting: [(user: Int64, search: () -> Void)] = []

  /// Begins the search now or when it is its turn; `ended(for:)` must be called once then.
  ///
  /// - Returns: false when too many wait already; the search is dropped then.
  func begin(for user: Int64, _ search: @escaping () -> Void) -> Bool {
    if mayRun(user) {
      running.append(user)
      search()
      return true
    }
    let ownCount = waiting.reduce(0) { $1.user == user ? $0 + 1 : $0 }
    guard waiting.count < SearchQueue.largestWaitingCount,
      ownCount < SearchQueue.largestOwnWaitingCount
    else { return false }
    waiting.append((user, search))
    return true
  }

  /// An account's search is complete, or was given up.
  func ended(for user: Int64) {
    if let index = running.firstIndex(of: user) { running.remove(at: index) }
    while let index = waiting.firstIndex(where: { mayRun($0.user) }) {
      let next = waiting.remove(at: index)
      running.append(next.user)
      next.search()
    }
  }

  private func mayRun(_ user: Int64) -> Bool {
    running.count < SearchQueue.largestRunningCount && !running.contains(user)
  }
}

extension AdminRequest {
  /// Runs a search through log or usage when it is the caller's turn; it calls its argument once,
  /// at its end.
  ///
  /// Throws 503 when too many wait.
  func search(_ search: @escaping (_ ended: @escaping () -> Void) -> Void) throws(AdminError) {
    let (user, queue, reply) = (try user().id, gateway.admin.searches, reply)
    let isAdmitted = queue.begin(for: user) {
      if reply.isEnded { return queue.ended(for: user) }
      search { queue.ended(for: user) }
    }
    if !isAdmitted {
      throw AdminError(
        503, "busy", "Too many searches wait already: try again.", retryAfter: 1)
    }
  }
}

/// Exports of the log under way: one of each account, and always a place for an administrator.
struct ExportPlaces {
  /// Exports at once.
  static let largestCount = 4

  private var owners: [(id: Int64, isUser: Bool)] = []

  /// Takes a place.
  ///
  /// `isUser`: of the role `user`; these leave the last place free.
  /// - Returns: false when there is none.
  mutating func take(for user: Int64, isUser: Bool) -> Bool {
    let userCount = owners.reduce(0) { $1.isUser ? $0 + 1 : $0 }
    guard owners.count < ExportPlaces.largestCount, !owners.contains(where: { $0.id == user }),
      !isUser || userCount < ExportPlaces.largestCount - 1
    else { return false }
    owners.append((user, isUser))
    return true
  }

  /// The account's export is over.
  mutating func giveBack(of user: Int64) { owners.removeAll { $0.id == user } }
}

/// Whether a client takes a long answer in reasonable time.
struct ClientPace {
  /// Between two looks.
  static let milliseconds: Int64 = 60_000
  /// A client that is waited for must have taken so many bytes since the last look.
  static let leastByteCount: Int64 = 64 * 1024

  /// Bytes produced so far.
  var byteCount: Int64 = 0
  private var lastByteCount: Int64 = 0
  private var hasWaited = false

  /// Looks: whether the client is waited for as at the last look, and took too little between.
  mutating func isTooSlow(isWaiting: Bool) -> Bool {
    let isSlow = byteCount - lastByteCount < ClientPace.leastByteCount
    defer { (lastByteCount, hasWaited) = (byteCount, isWaiting) }
    return isSlow && isWaiting && hasWaited
  }
}
