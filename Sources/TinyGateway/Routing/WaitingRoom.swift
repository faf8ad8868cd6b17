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
/// All wait equally long at most, so the first is always the first whose time is over. Loop's
/// thread only.
final class WaitingRoom {
  private struct Place {
    let request: any WaitingRequest
    let deadline: Instant
  }

  private var places: [Place] = []
  private var hasFreed = false

  var count: Int { places.count }

  /// Takes a request in; false when `limit` wait already.
  func enter(_ request: any WaitingRequest, until deadline: Instant, limit: Int) -> Bool {
    guard places.count < limit else { return false }
    places.append(Place(request: request, deadline: deadline))
    return true
  }

  /// The request no longer waits; nothing happens when it does not.
  func leave(_ request: any WaitingRequest) {
    guard let index = places.firstIndex(where: { $0.request === request }) else { return }
    places.remove(at: index)
  }

  /// A channel takes a request more; who waits is asked at the end of the turn.
  func channelFreed() { hasFreed = !places.isEmpty }

  /// When `turnEnded` must be called again; nil for never.
  var nextDeadline: Instant? { places.first?.deadline }

  /// Lets go on who can, and ends the waits that are over.
  ///
  /// - Returns: whether any request was told something, so that the loop has more to do.
  func turnEnded(now: Instant) -> Bool {
    var toldSomebody = false
    if hasFreed {
      hasFreed = false
      for place in places where place.request.tryAgain() {
        leave(place.request)
        toldSomebody = true
      }
    }
    while let first = places.first, first.deadline <= now {
      places.removeFirst()
      first.request.waitedTooLong()
      toldSomebody = true
    }
    return toldSomebody
  }
}
