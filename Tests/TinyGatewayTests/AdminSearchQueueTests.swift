// SPDX-License-Identifier: MIT
import Testing

@testable import TinyGateway

/// Searches and exports: how many at once, whose turn it is, who is too slow.
struct AdminSearchQueueTests {
  @Test func runsOneOfEachAccountAndFourInAll() {
    let queue = SearchQueue()
    var begun: [Int64] = []
    for user: Int64 in [1, 1, 2, 3, 4, 5, 2] {
      #expect(queue.begin(for: user) { begun.append(user) })
    }
    #expect(begun == [1, 2, 3, 4])
    queue.ended(for: 3)  // The first that waits is of an account which is searching.
    #expect(begun == [1, 2, 3, 4, 5])
    queue.ended(for: 1)
    #expect(begun == [1, 2, 3, 4, 5, 1])
    for user: Int64 in [4, 5, 1, 2] { queue.ended(for: user) }
    #expect(begun == [1, 2, 3, 4, 5, 1, 2])
  }

  @Test func refusesMoreThanMayWait() {
    let queue = SearchQueue()
    for _ in 0...SearchQueue.largestOwnWaitingCount { #expect(queue.begin(for: 1) {}) }
    #expect(!queue.begin(for: 1) {})
    for user: Int64 in 2...4 { #expect(queue.begin(for: user) {}) }
    for user in 0..<SearchQueue.largestWaitingCount - SearchQueue.largestOwnWaitingCount {
      #expect(queue.begin(for: Int64(user + 10)) {})
    }
    #expect(!queue.begin(for: 99) {})
    queue.ended(for: 1)
    #expect(queue.begin(for: 99) {})
  }

  @Test func survivesSearchesThatEndAtOnce() {
    let queue = SearchQueue()
    var count = 0
    for _ in 0..<1000 {
      let isAdmitted = queue.begin(for: 1) {
        count += 1
        queue.ended(for: 1)
      }
      #expect(isAdmitted)
    }
    #expect(count == 1000)
  }

  @Test func keepsAPlaceForAdministrators() {
    var places = ExportPlaces()
    func take(_ user: Int64, isUser: Bool) -> Bool { places.take(for: user, isUser: isUser) }
    for user: Int64 in 1...3 { #expect(take(user, isUser: true)) }
    #expect(!take(4, isUser: true) && !take(2, isUser: true))
    #expect(take(100, isUser: false))
    #expect(!take(100, isUser: false) && !take(101, isUser: false))
    places.giveBack(of: 2)
    #expect(take(101, isUser: false))
    places.giveBack(of: 100)
    #expect(take(4, isUser: true))
  }

  @Test(
    arguments: [
      // Bytes produced and whether the client is waited for, at each look; the last one's verdict.
      ([(0, true)], false), ([(0, true), (0, true)], true),
      ([(40_000, true), (105_535, true)], true), ([(40_000, true), (105_536, true)], false),
      ([(0, false), (0, true)], false), ([(0, true), (0, false)], false),
      ([(0, true), (0, false), (0, true)], false),
      ([(0, true), (70_000, true), (70_000, true)], true),
    ] as [([(Int64, Bool)], Bool)])
  func findsClientsThatAreTooSlow(_ looks: [(Int64, Bool)], _ expected: Bool) {
    var pace = ClientPace()
    var isTooSlow = false
    for (byteCount, isWaiting) in looks {
      pace.byteCount = byteCount
      isTooSlow = pace.isTooSlow(isWaiting: isWaiting)
    }
    #expect(isTooSlow == expected)
  }
}
