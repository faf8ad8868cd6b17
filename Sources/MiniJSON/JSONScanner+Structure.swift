// SPDX-License-Identifier: MIT

/// White space, punctuation and the first bytes of values.
extension JSONScanner {
  /// Scans from `start` until a token stops in the middle, or to `end`; returns where.
  @_optimize(speed)
  func scanStructure(
    _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) throws(JSONError) -> Int {
    var index = start
    while index < end {
      var byte = base.load(fromByteOffset: index, as: UInt8.self)
      if byte <= 0x20 && JSONByte.isSpace(byte) {
        index &+= 1
        continue
      }
      var offset = sliceOffset &+ index
      index &+= 1
      if phase == .key || phase == .firstKey && byte != JSONByte.closeBrace {
        guard byte == JSONByte.quote else { throw JSONError(.expectedKey, at: offset) }
        index = try scanKey(base, index, end, at: offset)
        if phase == .colon { continue }
        guard phase == .value, index < end else { return index }
        // A value follows at once: a turn of the loop is saved.
        byte = base.load(fromByteOffset: index, as: UInt8.self)
        if byte <= 0x20 { continue }
        offset = sliceOffset &+ index
        index &+= 1
      }
      switch phase {
      case .afterValue:
        try scanSeparator(byte, base, offset)
      case .colon:
        guard byte == JSONByte.colon else { throw JSONError(.expectedColon, at: offset) }
        phase = .value
      case .firstKey:
        close(base, at: offset)
      case .firstElement where byte == JSONByte.closeBracket:
        close(base, at: offset)
      case .value, .firstElement:
        if let next = takePlain(byte, base, index, end) {
          index = takeComma(base, next, end)
          continue
        }
        index = try scanValue(byte, base, index, end, at: offset)
        if phase.isWithinToken { return index }
        index = takeComma(base, index, end)
      case .end: throw JSONError(.trailingBytes, at: offset)
      default: preconditionFailure("a token goes on")
      }
    }
    return index
  }

  /// Scans on in a key from behind its opening quote, and takes the colon behind it.
  @inline(__always)
  private func scanKey(
    _ base: UnsafeRawPointer, _ start: Int, _ end: Int, at offset: Int
  ) throws(JSONError) -> Int {
    if keyCount >= limits.keyCount { throw JSONError(.tooManyKeys, at: offset) }
    keyCount &+= 1
    var index: Int
    let (stop, isWhole) = JSONScanner.plainStart(base, start, end)
    if isWhole {
      let byteCount = stop &- start
      keyByteCount = byteCount
      let tail = base.loadUnaligned(
        fromByteOffset: byteCount < 8 ? start : stop &- 8, as: UInt64.self
      ).bigEndian
      keyTail = byteCount < 8 ? tail &>> UInt64(64 &- 8 &* byteCount) : tail
      if depth == 1 {
        hasMembers = true
        try takeTopKey(base, start, byteCount: byteCount, at: offset)
      }
      phase = .colon
      index = stop &+ 1
    } else {
      beginKey(at: offset, next: start)
      index = try scanString(base, stop, end)
      if phase != .colon { return index }
    }
    if index < end && base.load(fromByteOffset: index, as: UInt8.self) == JSONByte.colon {
      phase = .value
      index &+= 1
    }
    return index
  }

  /// Takes a value at once that is as most are: a short plain string or a whole number that ends in
  /// this slice, with nothing to note about it.
  ///
  /// - Returns: where it ends; nil, with nothing changed, for any other, which `scanValue` scans.
  @inline(__always)
  private func takePlain(
    _ byte: UInt8, _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) -> Int? {
    if depth == 0 || depth == 1 && topKey.matched >= 0 { return nil }
    if byte == JSONByte.quote {
      let (stop, isWhole) = JSONScanner.plainStart(base, start, end)
      guard isWhole else { return nil }
      asciiTextByteCount &+= Int64(stop &- start)
      phase = .afterValue
      return stop &+ 1
    }
    guard byte &- 0x31 < 9 else { return nil }
    let limit = min(start &- 1 &+ limits.numberByteCount, end)
    var index = start
    while index < limit, base.load(fromByteOffset: index, as: UInt8.self) &- 0x30 < 10 {
      index &+= 1
    }
    guard index < limit else { return nil }
    let next = base.load(fromByteOffset: index, as: UInt8.self)
    guard next == JSONByte.comma || next == JSONByte.closeBrace || next == JSONByte.closeBracket
    else { return nil }
    if containers & 1 == 0 { arrayNumberCount &+= 1 }
    phase = .afterValue
    return index
  }

  /// Scans a value from behind its first byte, which is given: to its end, or to where it stops
  /// within a token, or to behind the bracket that opens it.
  @inline(__always)
  private func scanValue(
    _ byte: UInt8, _ base: UnsafeRawPointer, _ start: Int, _ end: Int, at offset: Int
  ) throws(JSONError) -> Int {
    // What only the outermost value and its members need.
    if depth == 0 || depth == 1 && topKey.matched >= 0 { try beginOuterValue(byte, at: offset) }
    if byte == JSONByte.quote {
      string.begin(at: offset &+ 1, isKey: false)
      phase = .string
      return try scanString(base, start, end)
    }
    if depth > 0, byte == JSONByte.openBrace || byte == JSONByte.openBracket,
      let next = passNested(byte, base, start, end)
    {
      return next
    }
    try beginValue(byte, at: offset)
    if phase == .number { return try scanNumber(base, start, end) }
    if phase == .literal { return try scanLiteral(base, start, end) }
    return start
  }

  /// Passes over the object or array whose opening bracket is given, if it lies whole in this
  /// slice and is as most are.
  ///
  /// - Returns: the offset behind it; nil, with nothing changed, if its parts must be scanned.
  @inline(__always)
  private func passNested(
    _ bracket: UInt8, _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) -> Int? {
    guard start >= impassableEnd, depth < limits.depth else { return nil }
    var passage = JSONPassage(
      behind: start, isObject: bracket == JSONByte.openBrace, depthLimit: limits.depth &- depth,
      limits)
    guard passage.run(base, end) else {
      impassableEnd = passage.index
      return nil
    }
    asciiTextByteCount &+= Int64(passage.asciiTextByteCount)
    nonASCIITextByteCount &+= Int64(passage.nonASCIITextByteCount)
    arrayNumberCount &+= Int64(passage.arrayNumberCount)
    keyByteCount = 0
    endValue(base, at: sliceOffset &+ passage.index)
    return passage.index
  }

  /// Takes a comma that follows a value at once: most do, and a turn of the loop is saved.
  @inline(__always)
  private func takeComma(_ base: UnsafeRawPointer, _ index: Int, _ end: Int) -> Int {
    guard index < end, phase == .afterValue,
      base.load(fromByteOffset: index, as: UInt8.self) == JSONByte.comma
    else { return index }
    phase = containers & 1 != 0 ? .key : .value
    return index &+ 1
  }

  @inline(__always)
  private func scanSeparator(
    _ byte: UInt8, _ base: UnsafeRawPointer, _ offset: Int
  ) throws(JSONError) {
    let isObject = containers & 1 != 0
    if byte == JSONByte.comma {
      phase = isObject ? .key : .value
    } else if byte == (isObject ? JSONByte.closeBrace : JSONByte.closeBracket) {
      close(base, at: offset)
    } else {
      throw JSONError(isObject ? .expectedCommaOrBrace : .expectedCommaOrBracket, at: offset)
    }
  }

  private func beginKey(at offset: Int, next: Int) {
    string.begin(at: offset &+ 1, isKey: true)
    keyTail = 0
    phase = .string
    if depth == 1 {
      hasMembers = true
      topKey.begin(at: offset, runStart: next, seed: seed)
    }
  }

  /// Begins a value that is no string.
  @inline(__always)
  private func beginValue(_ byte: UInt8, at offset: Int) throws(JSONError) {
    if byte == JSONByte.openBrace {
      try open(.object, at: offset)
    } else if byte == JSONByte.openBracket {
      try open(.array, at: offset)
    } else if byte == JSONByte.minus || byte &- 0x30 < 10 {
      number.begin(byte)
      numberOffset = offset
      phase = .number
    } else if let kind = JSONKind(firstByte: byte) {
      literal = kind
      literalCount = 1
      phase = .literal
    } else {
      throw unexpectedValue(byte, at: offset)
    }
  }

  /// Begins the outermost value, or that of a watched member.
  private func beginOuterValue(_ byte: UInt8, at offset: Int) throws(JSONError) {
    guard let kind = JSONKind(firstByte: byte) else { throw unexpectedValue(byte, at: offset) }
    if depth == 0 && requiresObject && kind != .object {
      throw JSONError(.notAnObject, at: offset)
    }
    if topKey.matched >= 0 { beginMember(kind, at: offset) }
  }

  private func unexpectedValue(_ byte: UInt8, at offset: Int) -> JSONError {
    if depth == 0 && offset == 0 && byte == 0xef { return JSONError(.byteOrderMark, at: 0) }
    if depth == 0 && requiresObject { return JSONError(.notAnObject, at: offset) }
    return JSONError(.expectedValue, at: offset)
  }

  /// Scans on in a number; it ends before the first byte that cannot belong to one.
  @_optimize(speed)
  func scanNumber(
    _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) throws(JSONError) -> Int {
    let limit = numberOffset &- sliceOffset &+ limits.numberByteCount
    let digitEnd = min(limit, end)
    var grammar = number
    var index = start
    while index < end {
      if grammar.takesDigits {
        while index < digitEnd, base.load(fromByteOffset: index, as: UInt8.self) &- 0x30 < 10 {
          index &+= 1
        }
        if index == end { break }
      }
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      guard JSONNumberGrammar.isPart(byte) else {
        let offset = sliceOffset &+ index
        guard grammar.isAccepting else { throw JSONError(.invalidNumber, at: offset) }
        if containers & 1 == 0 { arrayNumberCount &+= 1 }
        endValue(base, at: offset)
        return index
      }
      if index >= limit { throw JSONError(.numberTooLong, at: sliceOffset &+ index) }
      guard grammar.advance(byte) else {
        throw JSONError(.invalidNumber, at: sliceOffset &+ index)
      }
      index &+= 1
    }
    number = grammar
    return index
  }

  /// Scans on in `true`, `false` or `null`.
  @_optimize(speed)
  func scanLiteral(
    _ base: UnsafeRawPointer, _ start: Int, _ end: Int
  ) throws(JSONError) -> Int {
    let spelling = literal.literal
    var index = start
    if literalCount == 1 && end &- index >= 4 && literal != .false {
      // `rue` and `ull` in one go.
      let rest = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt32.self))
      if rest & 0xff_ffff == (literal == .true ? 0x65_7572 : 0x6c_6c75) {
        endValue(base, at: sliceOffset &+ index &+ 3)
        return index &+ 3
      }
    }
    while index < end {
      let byte = base.load(fromByteOffset: index, as: UInt8.self)
      guard byte == spelling.utf8Start[literalCount] else {
        throw JSONError(.invalidLiteral, at: sliceOffset &+ index)
      }
      index &+= 1
      literalCount &+= 1
      if literalCount == spelling.utf8CodeUnitCount {
        endValue(base, at: sliceOffset &+ index)
        break
      }
    }
    return index
  }
}
