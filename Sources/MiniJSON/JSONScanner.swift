// SPDX-License-Identifier: MIT
import Platform

/// Checks JSON text that arrives in slices, and notes where chosen members of its object lie.
///
/// Strict RFC 8259: UTF-8 without overlong forms or surrogates, escapes in whole pairs, numbers by
/// the grammar, nothing behind the value. A byte is touched once, or twice where `JSONPassage` did
/// not get through; slices may be cut anywhere and any cutting gives the same result. Nesting is
/// kept in bits, nothing recurses, and memory is bounded: captured values
/// (`JSONLimits.captureByteCount` each) and 16 bytes per top-level key.
///
/// `watching` names the top-level members of interest; they are asked for by their index in that
/// table. Keys are compared after unescaping. The first of equal keys counts; with
/// `refusesDuplicates` a second one is an error.
///
/// A class, since it is large: its owners would copy it to ask for a member.
package final class JSONScanner {
  /// What the next byte is expected to be.
  enum Phase: UInt8 {
    /// Between tokens.
    case value, firstElement, firstKey, key, colon, afterValue, end
    /// Within a string: text, behind a backslash, the digits of `\u`, the backslash and the `u` of
    /// a low surrogate, continuation bytes of UTF-8.
    case string, escape, hexDigits, lowBackslash, lowLetter, continuation
    /// Within a number or a word.
    case number, literal

    @inline(__always)
    var isWithinToken: Bool { rawValue >= Phase.string.rawValue }
  }

  let watching: [StaticString]
  /// Bit n says that a watched key has n bytes: most other keys are told by that.
  let watchedCounts: UInt64
  /// What `TopKeyState.wholeHash` is for each watched key.
  let watchedHashes: [UInt64]
  /// Where hashes of keys start.
  let seed = JSONKeySet.seed
  let limits: JSONLimits
  let requiresObject: Bool
  let refusesDuplicates: Bool

  var phase = Phase.value
  /// The innermost container is in the lowest bit; 1 is an object.
  var containers: UInt64 = 0
  var depth = 0
  /// Members so far of the innermost object, and of those around it.
  var keyCount = 0
  var keyCounts = InlineArray<64, UInt16>(repeating: 0)
  var failure: JSONError?

  /// Up to where in this slice there is what `JSONPassage` does not take: containers that begin
  /// before it are not tried again, so that no byte is looked at more than twice.
  var impassableEnd = 0
  /// Offset of the slice being scanned; everything else that is called an offset is absolute.
  var sliceOffset = 0
  package private(set) var openingBraceOffset: Int?
  package private(set) var closingBraceOffset: Int?
  /// Whether the top-level object has at least one member.
  package internal(set) var hasMembers = false

  var string = StringState()
  var number = JSONNumberGrammar()
  var numberOffset = 0
  var literal = JSONKind.null
  var literalCount = 0
  var topKey = TopKeyState()
  var records: [Record] = []
  let captured = Buffer()

  /// ASCII bytes in string values, escapes counted as what they stand for.
  ///
  /// Keys do not count, nor does what `dataStringCount` counts.
  package internal(set) var asciiTextByteCount: Int64 = 0
  /// Bytes of non-ASCII UTF-8 in string values; the rules of `asciiTextByteCount` apply.
  package internal(set) var nonASCIITextByteCount: Int64 = 0
  /// Encoded pictures, recordings and files.
  ///
  /// That is strings above 4,096 bytes under a key such as `url` or `data`. Only the key decides:
  /// contents could be made to look like anything.
  package internal(set) var dataStringCount: Int64 = 0
  /// Numbers that are elements of an array, such as a prompt that is sent as tokens.
  package internal(set) var arrayNumberCount: Int64 = 0
  /// The last eight bytes of the latest key; of a shorter one, what stands before it as well.
  var keyTail: UInt64 = 0
  /// Bytes of the key under which the value to come, or the elements of the array, stand; else 0.
  var keyByteCount = 0

  /// Makes a scanner for one text; `reset()` prepares it for the next.
  package init(
    watching: [StaticString] = [], limits: JSONLimits = .standard, requiresObject: Bool = true,
    refusesDuplicates: Bool = true
  ) {
    for key in watching {
      precondition(key.utf8CodeUnitCount <= TopKeyState.longestByteCount, "a key too long to watch")
    }
    self.watching = watching
    watchedCounts = watching.reduce(0) { $0 | 1 << UInt64($1.utf8CodeUnitCount) }
    watchedHashes = watching.map { TopKeyState.hash(of: $0) }
    self.limits = limits
    self.requiresObject = requiresObject
    self.refusesDuplicates = refusesDuplicates
    records = [Record](repeating: Record(), count: watching.count)
  }

  /// Bytes scanned so far.
  package var byteCount: Int { sliceOffset }

  /// Whether the top-level value has ended; a number that stands alone ends with `finish()`.
  package var isComplete: Bool { phase == .end }

  /// Scans the next slice; throws the same error again after it has thrown one.
  package func scan(_ bytes: Span<UInt8>) throws(JSONError) {
    try scan(bytes.rawBuffer)
  }

  /// Scans the next slice; throws the same error again after it has thrown one.
  @_optimize(speed)
  package func scan(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
    if let failure { throw failure }
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    impassableEnd = 0
    let (next, overflowed) = sliceOffset.addingReportingOverflow(bytes.count)
    do throws(JSONError) {
      if overflowed { throw JSONError(.tooLong, at: sliceOffset) }
      try run(base, bytes.count)
    } catch {
      failure = error
      throw error
    }
    if string.isOpen { suspendString(base, bytes.count) }
    if topKey.openRecord >= 0 { capture(base, bytes.count) }
    sliceOffset = next
  }

  /// Ends the text: throws `.unexpectedEnd` when its value is not whole.
  package func finish() throws(JSONError) {
    if let failure { throw failure }
    if phase == .number && depth == 0 && number.isAccepting { phase = .end }
    if phase == .end { return }
    let error = JSONError(.unexpectedEnd, at: sliceOffset)
    failure = error
    throw error
  }

  /// Prepares for another text; memory is kept.
  package func reset() {
    phase = .value
    containers = 0
    depth = 0
    keyCount = 0
    failure = nil
    sliceOffset = 0
    openingBraceOffset = nil
    closingBraceOffset = nil
    hasMembers = false
    string = StringState()
    topKey.reset()
    for index in records.indices { records[index] = Record() }
    captured.clear()
    asciiTextByteCount = 0
    nonASCIITextByteCount = 0
    dataStringCount = 0
    arrayNumberCount = 0
    keyByteCount = 0
  }

  @_optimize(speed)
  private func run(_ base: UnsafeRawPointer, _ count: Int) throws(JSONError) {
    var index = 0
    while index < count {
      switch phase {
      case .value, .firstElement, .firstKey, .key, .colon, .afterValue, .end:
        index = try scanStructure(base, index, count)
      case .string: index = try scanString(base, index, count)
      case .escape, .hexDigits, .lowBackslash, .lowLetter:
        index = try scanEscape(base, index, count)
      case .continuation: index = try scanContinuation(base, index, count)
      case .number: index = try scanNumber(base, index, count)
      case .literal: index = try scanLiteral(base, index, count)
      }
    }
  }

  /// Notes the opening of an object or array at `offset`.
  @inline(__always)
  func open(_ kind: JSONKind, at offset: Int) throws(JSONError) {
    if depth >= limits.depth { throw JSONError(.tooDeep, at: offset) }
    keyCounts[depth] = UInt16(truncatingIfNeeded: keyCount)
    keyCount = 0
    depth &+= 1
    containers <<= 1
    if kind == .object {
      containers |= 1
      phase = .firstKey
      if depth == 1 { openingBraceOffset = offset }
    } else {
      phase = .firstElement
    }
  }

  /// Notes the closing of the innermost container by the byte at `offset`.
  @inline(__always)
  func close(_ base: UnsafeRawPointer, at offset: Int) {
    if depth == 1 && containers & 1 != 0 {
      closingBraceOffset = offset
    }
    depth &-= 1
    containers >>= 1
    keyByteCount = 0
    keyCount = Int(keyCounts[depth])
    endValue(base, at: offset &+ 1)
  }

  /// Notes that a value ends before the byte at `offset`.
  @inline(__always)
  func endValue(_ base: UnsafeRawPointer, at offset: Int) {
    phase = .afterValue
    if depth <= 1 {
      if depth == 0 { phase = .end }
      if topKey.openRecord >= 0 { endMember(base, at: offset) }
    }
  }
}
