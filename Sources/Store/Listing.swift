// SPDX-License-Identifier: MIT
import Platform

/// Which part of a list is wanted.
package struct Page: Sendable {
  /// Rows per page at most.
  package static let sizeLimit: Int64 = 100

  /// Counts from 1.
  package let number: Int64
  package let size: Int64

  /// Makes a page; the size is brought into 1…100, the number above 0.
  package init(number: Int64 = 1, size: Int64 = 50) {
    self.size = min(max(size, 1), Page.sizeLimit)
    self.number = min(max(number, 1), Int64.max / Page.sizeLimit)
  }

  /// Rows before this page.
  package var offset: Int64 { (number - 1) * size }
}

/// One page of a list and the length of the whole list.
package struct Listing<Item: Sendable>: Sendable {
  package let items: [Item]
  package let total: Int64

  /// Makes a listing.
  package init(items: [Item], total: Int64) {
    self.items = items
    self.total = total
  }
}

/// Whether a user or a token may be used; raw values are stored, never renumber.
package enum RecordStatus: Int64, Sendable {
  case enabled = 1
  case disabled = 2

  /// An unknown number counts as disabled.
  init(stored value: Int64) { self = RecordStatus(rawValue: value) ?? .disabled }
}

extension Database {
  /// Throws `.notFound` unless a statement changed a row.
  func requireChange(_ changedRowCount: Int64) throws(StoreError) {
    if changedRowCount == 0 { throw StoreError(.notFound, message: "no such row") }
  }
}
