// SPDX-License-Identifier: MIT
import Platform

/// A view of one value of a `JSONDocument`; cheap to copy.
///
/// Questions that do not fit the kind answer nil, so that `value.member("a")?.int64` reads what a
/// sender may or may not have given.
package struct JSONValue {
  private let document: JSONDocument
  private let index: Int

  init(_ document: JSONDocument, _ index: Int) {
    self.document = document
    self.index = index
  }

  /// What the value is.
  package var kind: JSONKind {
    document.withLexeme(index) { $0.first.flatMap { JSONKind(firstByte: $0) } ?? .null }
  }

  /// Whether the value is `null`.
  package var isNull: Bool { kind == .null }

  /// The raw text of the value.
  package var lexeme: ByteString { document.withLexeme(index) { ByteString($0) } }

  /// The value `true` or `false`.
  package var bool: Bool? {
    switch kind {
    case .true: true
    case .false: false
    default: nil
    }
  }

  /// A string without quotes and escapes.
  package var string: ByteString? { document.withLexeme(index) { JSONString.unescaped($0) } }

  /// A whole number that an `Int64` can hold, exactly; `1.0` and `1e2` are whole.
  package var int64: Int64? { document.withLexeme(index) { JSONNumber.int64($0) } }

  /// A number as a multiple of 10⁻ᵈᵉᶜⁱᵐᵃˡˢ, rounded to the nearest.
  package func fixedPoint(decimals: Int) -> Int64? {
    document.withLexeme(index) { JSONNumber.fixedPoint($0, decimals: decimals) }
  }

  /// The first member with this key, compared after unescaping.
  ///
  /// Not inlined: each of the many callers would hold a copy of the search.
  @inline(never)
  package func member(_ key: StaticString) -> JSONValue? {
    firstMember { lexeme in JSONQuery.equals(lexeme, 0..<lexeme.count, key) }
  }

  /// The first member with this key, compared after unescaping.
  @_disfavoredOverload
  package func member(_ key: ByteString) -> JSONValue? {
    firstMember { JSONString.unescaped($0) == key }
  }

  /// The element of an array at an index, counted from 0.
  package func element(_ position: Int) -> JSONValue? {
    var left = position
    for value in elements {
      if left == 0 { return value }
      left -= 1
    }
    return nil
  }

  /// Number of elements or members, counted by walking; 0 for other kinds.
  package var count: Int {
    var count = 0
    if kind == .object {
      for _ in memberNodes { count += 1 }
    } else {
      for _ in elements { count += 1 }
    }
    return count
  }

  /// The elements of an array; none for other kinds.
  package var elements: JSONElements {
    JSONElements(document, kind == .array ? index + 1 : endIndex, end: endIndex)
  }

  /// The members of an object in their order, equal keys included; none for other kinds.
  package var members: JSONMembers { JSONMembers(memberNodes, document) }

  private var endIndex: Int { Int(document.nodes[index].next) }

  /// Keys and values in turn.
  private var memberNodes: JSONElements {
    JSONElements(document, kind == .object ? index + 1 : endIndex, end: endIndex, step: 2)
  }

  private func firstMember(_ isWanted: (UnsafeRawBufferPointer) -> Bool) -> JSONValue? {
    for key in memberNodes where document.withLexeme(key.index, isWanted) {
      return JSONValue(document, key.index + 1)
    }
    return nil
  }
}

/// The elements of an array, from first to last.
package struct JSONElements: Sequence, IteratorProtocol {
  private let document: JSONDocument
  private var index: Int
  private let end: Int
  private let step: Int

  /// Walks over nodes; every second one, the keys, when `step` is 2.
  init(_ document: JSONDocument, _ start: Int, end: Int, step: Int = 1) {
    self.document = document
    index = start
    self.end = end
    self.step = step
  }

  /// The next element; nil behind the last.
  package mutating func next() -> JSONValue? {
    guard index < end else { return nil }
    let value = JSONValue(document, index)
    index = Int(document.nodes[index + step - 1].next)
    return value
  }
}

/// The members of an object, from first to last.
package struct JSONMembers: Sequence, IteratorProtocol {
  private var keys: JSONElements
  private let document: JSONDocument

  init(_ keys: JSONElements, _ document: JSONDocument) {
    self.keys = keys
    self.document = document
  }

  /// The next unescaped key with its value; nil behind the last.
  package mutating func next() -> (key: ByteString, value: JSONValue)? {
    guard let key = keys.next() else { return nil }
    return (key.string ?? .empty, key.following)
  }
}

extension JSONValue {
  /// The value of the member whose key this is.
  fileprivate var following: JSONValue { JSONValue(document, index + 1) }
}
