// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// Requests that wait for a busy channel.
struct RoutingWaitingRoomTests {
  /// A request that notes what it is told.
  private final class Guest: WaitingRequest {
    let name: Int
    let diary: Diary
    /// What it answers, and what else it does meanwhile.
    var onTry: () -> Bool = { false }
    var onEnd: () -> Void = {}

    init(_ name: Int, _ diary: Diary) {
      self.name = name
      self.diary = diary
    }

    func tryAgain() -> Bool {
      diary.asked.append(name)
      return onTry()
    }

    func waitedTooLong() {
      diary.ended.append(name)
      onEnd()
    }
  }

  private final class Diary {
    var asked: [Int] = []
    var ended: [Int] = []
  }

  private let room = WaitingRoom()
  private let diary = Diary()

  private func at(_ milliseconds: Int64) -> Instant { RoutingFixtures.at(milliseconds) }

  /// Guests 0, 1, … who all wait until then.
  private func enter(_ count: Int, until deadline: Int64 = 1000) -> [Guest] {
    (0..<count).map { index in
      let guest = Guest(index, diary)
      #expect(room.enter(guest, at: RoutingFixtures.at(0), until: at(deadline), limit: 100))
      return guest
    }
  }

  private func turn(_ now: Int64 = 0) -> Bool { room.turnEnded(now: at(now)) }

  @Test func tellsNobodyAnythingWhileNothingHappens() {
    let guests = enter(3)
    for now: Int64 in [0, 500, 999] { #expect(!turn(now)) }
    #expect(diary.asked.isEmpty && diary.ended.isEmpty)
    #expect(room.count == guests.count)
  }

  @Test func asksInTheOrderOfArrival() {
    let guests = enter(5)
    for index in [1, 3] { guests[index].onTry = { true } }
    room.channelFreed()
    #expect(diary.asked.isEmpty, "only at the end of the turn")
    #expect(turn())
    #expect(diary.asked == [0, 1, 2, 3, 4])
    #expect(room.count == 3)
    room.channelFreed()
    #expect(!turn())
    #expect(diary.asked == [0, 1, 2, 3, 4, 0, 2, 4])
  }

  @Test func asksOnceForSeveralFreedChannels() {
    let guests = enter(2)
    for _ in 0..<5 { room.channelFreed() }
    #expect(!turn())
    #expect(!turn())
    #expect(diary.asked == [0, 1])
    #expect(room.count == guests.count)
  }

  @Test func givesOneFreedPlaceToTheFirst() {
    let guests = enter(4)
    var free = 0
    for guest in guests {
      guest.onTry = {
        guard free > 0 else { return false }
        free -= 1
        return true
      }
    }
    for expected in [3, 2, 1, 0] {
      free = 1
      room.channelFreed()
      #expect(turn())
      #expect(room.count == expected)
    }
    #expect(diary.asked == [0, 1, 2, 3, 1, 2, 3, 2, 3, 3])
  }

  @Test func takesNoMoreThanItsLimit() {
    for limit in [0, 1, 3] {
      let room = WaitingRoom()
      let guests = (0...limit).map { Guest($0, diary) }
      for guest in guests.dropLast() {
        #expect(room.enter(guest, at: RoutingFixtures.at(0), until: at(10), limit: limit))
      }
      #expect(!room.enter(guests[limit], at: RoutingFixtures.at(0), until: at(10), limit: limit))
      #expect(room.count == limit)
      guard let first = guests.first, limit > 0 else { continue }
      room.leave(first)
      #expect(room.enter(guests[limit], at: RoutingFixtures.at(0), until: at(10), limit: limit))
      #expect(room.count == limit)
    }
  }

  @Test func forgetsWhoLeft() {
    let guests = enter(3)
    room.leave(guests[1])
    room.leave(guests[1])
    room.leave(Guest(9, diary))
    #expect(room.count == 2)
    room.channelFreed()
    _ = turn()
    #expect(turn(1000))
    #expect(diary.asked == [0, 2, 0, 2])
    #expect(diary.ended == [0, 2])
  }

  @Test func endsWaitsAtTheirDeadline() {
    let early = enter(2, until: 1000)
    let late = enter(1, until: 1500)
    #expect(room.nextDeadline == at(1000))
    #expect(!turn(999))
    #expect(turn(1000))
    #expect(diary.ended == [0, 1])
    #expect(room.nextDeadline == at(1500))
    #expect(turn(9999))
    #expect(diary.ended == [0, 1, 0])
    #expect(room.count == 0 && room.nextDeadline == nil)
    #expect(!turn(99_999))
    #expect(early.count + late.count == 3)
  }

  /// A channel that is freed in the last moment still serves.
  @Test func asksOnceMoreBeforeItEndsAWait() {
    let guests = enter(2)
    guests[0].onTry = { true }
    room.channelFreed()
    #expect(turn(1000))
    #expect(diary.asked == [0, 1])
    #expect(diary.ended == [1])
  }

  @Test func needsNoTurnWhenNobodyWaits() {
    room.channelFreed()
    #expect(!turn())
    _ = enter(1)
    #expect(!turn())
    #expect(diary.asked.isEmpty, "freed before anybody waited")
  }

  /// A breaker closes or a setting changes without any attempt's end.
  @Test func looksAgainEverySecond() {
    let guests = enter(2, until: 10_000)
    #expect(room.nextDeadline == at(1000))
    #expect(!turn(1000))
    #expect(diary.asked == [0, 1])
    #expect(room.nextDeadline == at(2000))
    guests[1].onTry = { true }
    #expect(!turn(1999))
    #expect(turn(2000))
    #expect(diary.asked == [0, 1, 0, 1])
    #expect(room.count == 1)
  }

  /// A setting was changed between them.
  @Test func endsAShorterWaitBehindALongerOne() {
    let guests = enter(1, until: 9000) + enter(1, until: 1000)
    #expect(turn(1000))
    #expect(diary.ended == [0] && room.count == 1 && guests.count == 2)
  }

  // What guests do meanwhile.

  /// A request that goes on may fail at once and free its channel again.
  @Test func hearsOfAChannelFreedDuringTheTurn() {
    let guests = enter(2)
    guests[0].onTry = { [room] in
      room.channelFreed()
      return true
    }
    room.channelFreed()
    #expect(turn())
    #expect(!turn())
    #expect(diary.asked == [0, 1, 1])
  }

  @Test func letsAGuestComeBackToTheEnd() {
    let guests = enter(3)
    guests[0].onTry = { [room, guests] in
      #expect(
        room.enter(
          guests[0], at: RoutingFixtures.at(0), until: RoutingFixtures.at(2000), limit: 100))
      return true
    }
    room.channelFreed()
    #expect(turn())
    #expect(room.count == 3)
    guests[0].onTry = { false }
    diary.asked = []
    room.channelFreed()
    _ = turn()
    #expect(diary.asked == [1, 2, 0])
    #expect(turn(1000))
    #expect(diary.ended == [1, 2])
    #expect(room.nextDeadline == at(2000))
  }

  @Test func keepsTheSeatOfAGuestWhoComesBackToAFullRoom() {
    let guests = enter(2)
    guests[0].onTry = { [room, guests] in
      #expect(
        room.enter(guests[0], at: RoutingFixtures.at(0), until: RoutingFixtures.at(2000), limit: 2))
      return true
    }
    room.channelFreed()
    #expect(turn())
    #expect(room.count == 2)
  }

  @Test func letsAGuestThatWaitedTooLongComeBack() {
    let guests = enter(1)
    guests[0].onEnd = { [room, guests] in
      #expect(
        room.enter(guests[0], at: RoutingFixtures.at(0), until: RoutingFixtures.at(2000), limit: 1))
    }
    #expect(turn(1000))
    #expect(room.count == 1)
    #expect(diary.ended == [0])
  }

  /// The client of a later guest goes away because of what an earlier one does.
  @Test func doesNotEndTheWaitOfWhoLeftMeanwhile() {
    let guests = enter(3)
    guests[0].onEnd = { [room, guests] in room.leave(guests[1]) }
    #expect(turn(1000))
    #expect(diary.ended == [0, 2])
    #expect(room.count == 0)
  }
}
