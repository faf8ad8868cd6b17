// SPDX-License-Identifier: MIT
import Platform

/// A request that waits because every channel it could use is busy.
protocol WaitingRequest: AnyObject {
  /// A channel has become free: goes on if it can.
  ///
  /// - Returns: whether it has left the room.
  func tryAgain() -> Bool
  /// It has waited as long as it may.
  func waitedTooLong()
}

/// Requests that wait for a free channel, in the order in which they came.
///
/// Loop's thread only.
final class WaitingRoom {
  private final class Place {
    let request: any WaitingRequest
    let deadline: Instant
    var isTaken = true

    init(_ request: any WaitingRequest, until deadline: Instant) {
      self.request = request
      self.deadline = deadline
    }
  }

  /// How often those who wait are asked even if no attempt has ended, in milliseconds: a breaker
  /// closes, a rest ends, a setting changes.
  private static let lookMilliseconds: Int64 = 1000

  private var places: [Place] = []
  private var hasFreed = false
  private var nextLook = Instant(nanoseconds: 0)

  var count: Int { places.count }

  /// Takes a request in, at the end; false when `limit` others wait already.
  func enter(
    _ request: any WaitingRequest, at now: Instant, until deadline: Instant, limit: Int
  ) -> Bool {
    leave(request)
    guard places.count < limit else { return false }
    if places.isEmpty { nextLook = now.advanced(byMilliseconds: WaitingRoom.lookMilliseconds) }
    places.append(Place(request, until: deadline))
    return true
  }

  /// The request no longer waits; nothing happens when it does not.
  func leave(_ request: any WaitingRequest) {
    guard let index = places.firstIndex(where: { $0.request === request }) else { return }
    places.remove(at: index).isTaken = false
  }

  private func vacate(_ place: Place) {
    guard let index = places.firstIndex(where: { $0 === place }) else { return }
    places.remove(at: index).isTaken = false
  }

  /// A channel takes a request more; who waits is asked at the end of the turn.
  func channelFreed() { hasFreed = !places.isEmpty }

  /// When `turnEnded` must be called again; nil for never.
  var nextDeadline: Instant? { places.first.map { min($0.deadline, nextLook) } }

  /// Lets go on who can, and ends the waits that are over.
  ///
  /// - Returns: whether any request was told something, so that the loop has more to do.
  func turnEnded(now: Instant) -> Bool {
    guard let first = places.first,
      hasFreed || now >= nextLook || first.deadline <= now
    else { return false }
    let asks = hasFreed || now >= nextLook
    if asks { nextLook = now.advanced(byMilliseconds: WaitingRoom.lookMilliseconds) }
    hasFreed = false
    var toldSomebody = false
    // Who is told something may leave, come back, or make others leave.
    for place in places where place.isTaken {
      if asks, place.request.tryAgain() {
        vacate(place)
        toldSomebody = true
      } else if place.deadline <= now {
        vacate(place)
        place.request.waitedTooLong()
        toldSomebody = true
      }
    }
    return toldSomebody
  }
}
