// SPDX-License-Identifier: MIT
import Platform

/// How often each kind of error happened; the kinds' numbers are the caller's.
package struct ErrorCounts: Sendable {
  /// One kind and its count.
  package struct Entry: Sendable {
    package let kind: Int64
    package var count: Int64
  }

  /// Kinds above this number are counted as this one.
  private static let kindLimit: Int64 = 63

  /// The kinds that happened, by number.
  package private(set) var entries: [Entry] = []

  /// Makes an empty count.
  package init() {}

  /// Counts errors of a kind; 0 is no kind.
  @inline(never)
  package mutating func add(_ kind: Int64, count: Int64 = 1) {
    guard kind > 0, count > 0 else { return }
    let kind = min(kind, ErrorCounts.kindLimit)
    let index = entries.firstIndex { $0.kind >= kind } ?? entries.count
    if index < entries.count, entries[index].kind == kind {
      entries[index].count = entries[index].count.addingSaturated(count)
    } else {
      entries.insert(Entry(kind: kind, count: count), at: index)
    }
  }

  /// Adds what another count holds.
  @inline(never)
  package mutating func merge(_ other: ErrorCounts) {
    for entry in other.entries { add(entry.kind, count: entry.count) }
  }

  /// How often a kind happened.
  package subscript(kind: Int64) -> Int64 {
    entries.first { $0.kind == kind }?.count ?? 0
  }

  /// Appends the number of kinds, then each kind and its count.
  func pack(into packed: inout PackedWriter) {
    packed.append(UInt64(entries.count))
    for entry in entries {
      packed.append(count: entry.kind)
      packed.append(count: entry.count)
    }
  }

  /// Adds what `pack` appended.
  mutating func merge(_ packed: inout PackedReader) {
    let kindCount = min(packed.number(), UInt64(ErrorCounts.kindLimit))
    for _ in 0..<kindCount {
      let kind = packed.count()
      add(kind, count: packed.count())
    }
  }
}

extension Int64 {
  /// The sum; at the limit of the type when it does not fit.
  package func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, overflowed) = addingReportingOverflow(other)
    return overflowed ? (other > 0 ? .max : .min) : sum
  }
}
