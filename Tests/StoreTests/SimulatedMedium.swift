// SPDX-License-Identifier: MIT
import CRecordingVFS
import Foundation
import Platform

@testable import Store

/// What SQLite does to one database and its journals, written down below it.
///
/// While it lives, syncs of these files do not wait for the real disk.
final class Recording {
  private let raw: OpaquePointer

  init(_ path: ByteString) { raw = path.withCString { rv_begin($0) } }

  deinit { rv_end(raw) }

  /// Notes that the test has come to a point.
  func mark(_ number: Int) { rv_mark(raw, Int64(number)) }

  /// Lets every write and sync fail with SQLite's code; 0 ends that.
  func fail(_ code: Int32) { rv_fail(raw, code) }

  var count: Int { Int(rv_event_count(raw)) }

  func event(_ index: Int) -> rv_event { rv_event_at(raw, Int64(index)) }

  /// Bytes that were written so far.
  var writtenByteCount: Int64 {
    (0..<count).reduce(0) { $0 + (event($1).kind == RV_WRITE ? event($1).count : 0) }
  }
}

/// What a medium holds when power is cut: what was synced, and of the rest nobody knows what.
struct SimulatedMedium {
  /// How much of what was not synced has reached the medium.
  enum Luck: CaseIterable {
    case nothing, everything
    /// Any of the writes in any order, the last of each file torn at a multiple of 512 bytes.
    case some
  }

  static let suffixes = ["", "-wal", "-journal"]
  private var durable: [[UInt8]?]
  private var pending: [[rv_event]] = [[], [], []]

  /// A medium that holds a closed database.
  init(_ database: Data) { durable = [[UInt8](database), nil, nil] }

  /// Takes the next event of a recording.
  mutating func take(_ event: rv_event) {
    let file = Int(event.file)
    switch Int(event.kind) {
    case RV_MARK: break
    case RV_SYNC: sync(file)
    case RV_DELETE:
      pending[file].append(event)
      if event.offset == 1 { sync(file) }
    default: pending[file].append(event)
    }
  }

  private mutating func sync(_ file: Int) {
    for event in pending[file] { SimulatedMedium.apply(event, to: &durable[file]) }
    pending[file] = []
  }

  /// The files after a power cut now; nil for one that is not there.
  func afterPowerCut(
    _ luck: Luck, _ random: inout some RandomNumberGenerator
  ) -> [[UInt8]?] {
    var files = durable
    for file in 0..<3 {
      var lucky = pending[file]
      switch luck {
      case .nothing: lucky = []
      case .everything: break
      case .some:
        lucky = lucky.filter { _ in Bool.random(using: &random) }
        if let last = lucky.last, last.kind == RV_WRITE, last.count > 512 {
          lucky[lucky.count - 1].count =
            Int64.random(in: 1..<last.count / 512 + 1, using: &random)
            * 512
        }
      }
      for event in lucky { SimulatedMedium.apply(event, to: &files[file]) }
    }
    return files
  }

  private static func apply(_ event: rv_event, to file: inout [UInt8]?) {
    if Int(event.kind) == RV_DELETE {
      file = nil
      return
    }
    var bytes = file ?? []
    if Int(event.kind) == RV_TRUNCATE {
      let size = Int(event.offset)
      bytes = size < bytes.count ? Array(bytes[..<size]) : bytes
    } else {
      let (start, end) = (Int(event.offset), Int(event.offset + event.count))
      if end > bytes.count { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
      bytes.replaceSubrange(
        start..<end, with: UnsafeBufferPointer(start: event.bytes, count: Int(event.count)))
    }
    file = bytes
  }
}

/// The same numbers in every run.
struct RepeatableNumbers: RandomNumberGenerator {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
