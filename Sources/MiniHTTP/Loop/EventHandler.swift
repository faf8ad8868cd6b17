// SPDX-License-Identifier: MIT
import Platform

/// One descriptor and what to do when it is ready; the loop is its owner.
///
/// Nobody wakes or closes anybody: `interest`, `deadline` and `isFinished` are derived from
/// state and buffers, and the loop asks for them after every turn in which the handler was
/// touched.
package protocol EventHandler: AnyObject {
  var descriptor: Int32 { get }
  /// What the descriptor is watched for; empty means only errors.
  var interest: Interest { get }
  /// When `deadlinePassed` is due; nil means never.
  var deadline: Instant? { get }
  /// Whether the loop may drop the handler at the end of this turn.
  var isFinished: Bool { get }
  func ready(_ ready: Interest)
  func deadlinePassed()
  /// Called at the end of a turn in which the handler was touched: sends what is queued.
  func settle()
  /// The last call: closes the descriptor and lets go of everybody else.
  func dropped()
}

/// A place in the loop's table; a stale one finds nothing.
package struct HandlerID: Hashable, Sendable {
  let slot: Int32
  let generation: UInt32

  /// The place of a handler that is in no loop.
  package static let none = HandlerID(slot: -1, generation: 0)

  var token: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: slot)) }

  init(slot: Int32, generation: UInt32) {
    self.slot = slot
    self.generation = generation
  }

  init(token: UInt64) {
    slot = Int32(bitPattern: UInt32(truncatingIfNeeded: token))
    generation = UInt32(truncatingIfNeeded: token >> 32)
  }
}
