// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Puts the events of an answer into the order of blocks that follow one another: all arguments
/// of a call before anything else, though chat protocols may mix them.
///
/// A call is left once its arguments are one JSON value; what comes before that is held back. A
/// call that never gets so far is left when the answer ends.
struct CallOrder {
  /// Events that wait, from `nextHeld` on.
  private var held: [ChatEvent] = []
  /// Arguments that wait for their call, by its index.
  private var arguments: [Buffer] = []
  private var nextHeld = 0
  /// Calls that have been told.
  private var toldCount = 0
  /// The call whose arguments are told as they come; nil when none is open.
  private var openCall: Int?
  private let scanner = JSONScanner(refusesDuplicates: false)
  private var hasEnded = false

  /// Takes an event in and appends what is to be told now.
  mutating func add(_ event: ChatEvent, into events: inout [ChatEvent]) {
    switch event {
    case .arguments(let index, let piece):
      if index == openCall {
        events.add(event)
        scan(piece)
      } else if index >= toldCount, index < arguments.count {
        arguments[index].append(piece)
      }
    case .toolCall(let index, _, _, _):
      guard index == arguments.count else { return }
      arguments.append(Buffer())
      held.append(event)
    case .text, .refusal, .reasoning, .reasoningSignature: held.append(event)
    case .finish:
      hasEnded = true
      held.append(event)
    case .start, .usage, .failure, .follow, .vectors: events.add(event)
    }
    release(into: &events)
  }

  private mutating func release(into events: inout [ChatEvent]) {
    while openCall == nil || hasEnded, nextHeld < held.count {
      let event = held[nextHeld]
      nextHeld += 1
      events.add(event)
      guard case .toolCall(let index, _, _, _) = event else { continue }
      openCall = index
      toldCount = index + 1
      scanner.reset()
      let waiting = arguments[index].byteString
      guard !waiting.isEmpty else { continue }
      arguments[index].release()
      events.add(.arguments(index: index, waiting))
      scan(waiting)
    }
    guard nextHeld == held.count else { return }
    held.removeAll(keepingCapacity: true)
    nextHeld = 0
  }

  private mutating func scan(_ piece: ByteString) {
    // What is no JSON stays open until the answer ends.
    try? scanner.scan(piece.bytes.span)
    if scanner.isComplete { openCall = nil }
  }
}
