// SPDX-License-Identifier: MIT
import Platform

/// Edits a text while it is copied; every byte outside the edits stays as it is.
///
/// The text passes in slices, in order. Edits are given in offsets of the original text, in any
/// order, as long as they lie at or behind the position reached and do not overlap; edits at one
/// offset come out in the order of their coming. What has been copied is not kept.
package struct JSONSplice: Sendable {
  private struct Edit: Sendable {
    let range: Range<Int>
    let replacement: ByteString
  }

  /// In order of offset.
  private var edits: [Edit] = []
  /// The first edit that has not been put out.
  private var next = 0
  /// Bytes of the original text that have been dealt with.
  package private(set) var position = 0
  /// What the edits add to the length of the text, or take from it.
  package private(set) var byteCountChange = 0
  /// Whether a member was added at the end of the object, so that the next needs a comma.
  var hasInsertedMember = false

  /// Makes a splice that changes nothing yet.
  package init() {}

  /// Whether there are no edits at all.
  package var isEmpty: Bool { edits.isEmpty }

  /// Puts other bytes in the place of `range`.
  ///
  /// - Returns: false, with nothing changed, when the range begins before `position` or overlaps
  ///   another edit.
  package mutating func replace(_ range: Range<Int>, with bytes: ByteString) -> Bool {
    guard range.lowerBound >= position else { return false }
    var index = edits.count
    while index > next && edits[index - 1].range.lowerBound > range.lowerBound { index -= 1 }
    // An insertion at the start of a replacement comes before it.
    while range.isEmpty && index > next && edits[index - 1].range.lowerBound == range.lowerBound
      && !edits[index - 1].range.isEmpty
    { index -= 1 }
    if index > next && edits[index - 1].range.upperBound > range.lowerBound { return false }
    if index < edits.count && edits[index].range.lowerBound < range.upperBound { return false }
    edits.insert(Edit(range: range, replacement: bytes), at: index)
    byteCountChange += bytes.count - range.count
    return true
  }

  /// Puts bytes before the one at `offset`; false as for `replace`.
  package mutating func insert(_ bytes: ByteString, at offset: Int) -> Bool {
    replace(offset..<offset, with: bytes)
  }

  /// Appends what becomes of the next slice of the text.
  package mutating func apply(_ slice: Span<UInt8>, to buffer: Buffer) {
    apply(slice.rawBuffer, to: buffer)
  }

  /// Appends what becomes of the next slice of the text.
  package mutating func apply(_ slice: UnsafeRawBufferPointer, to buffer: Buffer) {
    let start = position
    let (end, overflowed) = start.addingReportingOverflow(slice.count)
    precondition(!overflowed, "splices more than memory can hold")
    while next < edits.count, edits[next].range.lowerBound < end {
      let edit = edits[next]
      if edit.range.lowerBound >= position {
        copy(slice, from: start, upTo: edit.range.lowerBound, to: buffer)
        buffer.append(edit.replacement)
      }
      position = min(edit.range.upperBound, end)
      if edit.range.upperBound > end { return }
      next += 1
    }
    copy(slice, from: start, upTo: end, to: buffer)
  }

  /// Appends the edits that lie at the very end of the text.
  package mutating func finish(to buffer: Buffer) {
    while next < edits.count, edits[next].range.lowerBound <= position {
      if edits[next].range.lowerBound == position { buffer.append(edits[next].replacement) }
      next += 1
    }
  }

  /// Goes back to the beginning of the same text, with the same edits.
  package mutating func rewind() {
    next = 0
    position = 0
  }

  /// Forgets the edits and goes back to the beginning.
  package mutating func reset() {
    rewind()
    edits.removeAll(keepingCapacity: true)
    byteCountChange = 0
    hasInsertedMember = false
  }

  private mutating func copy(
    _ slice: UnsafeRawBufferPointer, from start: Int, upTo offset: Int, to buffer: Buffer
  ) {
    buffer.append(UnsafeRawBufferPointer(rebasing: slice[position - start..<offset - start]))
    position = offset
  }
}
